import { readFile } from 'node:fs/promises';
import type { Digest } from '../../../shared/digest';
import { digestOf } from '../../gallery/incoming-image';
import { writeFileDurably } from '../../platform/durable-files';
import { isErrorWithCode } from '../../platform/system-error';

/**
 * Has a file of the user's folder hold a content; nothing is read or written when it does.
 * @param path absolute; another content there is replaced
 * @param read gives the content, proved
 * @throws what `read` throws, and errors of the system
 */
export async function exportFile(path: string, digest: Digest, read: () => Promise<Uint8Array>): Promise<void> {
  if (!(await holds(path, digest))) await writeFileDurably(path, await read());
}

async function holds(path: string, digest: Digest): Promise<boolean> {
  try {
    return digestOf(await readFile(path)) === digest;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return false;
    throw error;
  }
}
