import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrorWithCode } from './system-error';

/**
 * Free space for ordinary users on the disk that holds (or would hold) a path, asked of its nearest existing
 * ancestor.
 * @returns bytes; undefined when the platform does not tell, which never blocks anything
 */
export async function freeBytes(path: string): Promise<number | undefined> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    } catch (error) {
      if (!isErrorWithCode(error, 'ENOENT', 'ENOTDIR') || folder === dirname(folder)) return undefined;
    }
  }
}
