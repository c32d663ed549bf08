import { readdir } from 'node:fs/promises';
import { isTemporary } from '../../../server/platform/durable-files';

/** The names of all that lies in a folder and is not whole. */
export async function temporariesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.map(({ name }) => name).filter(isTemporary);
}
