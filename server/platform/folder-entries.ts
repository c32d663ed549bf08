import { readdir } from 'node:fs/promises';
import { isErrorWithCode } from './system-error';

/** The names in a folder, sorted; none when it does not exist. */
export async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
