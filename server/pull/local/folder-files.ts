import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { cancelled, Failure } from '../../../shared/failure';
import { isFolderLitter } from '../../platform/folder-litter';
import { errorCode, fileFailure } from '../../platform/system-error';

/** A file that may belong to a model. */
export interface FolderFile {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly absolutePath: string;
  readonly bytes: number;
}

/** More than any model has; a home folder has more. */
const MOST_ENTRIES = 100_000;

/**
 * Every file in a folder and its sub-folders, sorted by path. Names that begin with a dot, `manifest.json` and what
 * systems leave by themselves are left out at every depth, and so are links that lead to folders or out of the folder.
 * @param folder absolute path
 * @throws Failure when a part of it cannot be read, when it holds more than any model, or when cancelled
 */
export async function filesOfFolder(folder: string, signal: AbortSignal): Promise<readonly FolderFile[]> {
  const root = await readable(folder, () => realpath(folder));
  const found: FolderFile[] = [];
  const waiting = [root];
  let seen = 0;
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const entries = await entriesIn(at);
    seen += entries.length;
    if (seen > MOST_ENTRIES) {
      const nextStep = 'Name the folder that holds only the files of the model.';
      throw new Failure('file-access', `The folder holds more than ${MOST_ENTRIES} files.`, {
        subject: folder,
        nextStep
      });
    }
    for (const entry of entries) {
      if (signal.aborted) throw cancelled('Listing the folder');
      if (entry.name.startsWith('.') || entry.name.toLowerCase() === 'manifest.json') continue;
      if (isFolderLitter(entry.name)) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else if (entry.isFile() || (entry.isSymbolicLink() && (await leadsInto(root, path)))) {
        const { size } = await readable(path, () => stat(path));
        found.push({ path: relative(root, path).split(sep).join('/'), absolutePath: path, bytes: size });
      }
    }
  }
  return found.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function entriesIn(folder: string): Promise<Dirent[]> {
  return readable(folder, () => readdir(folder, { withFileTypes: true }));
}

/** Whether a link leads to a file that lies in the folder. */
async function leadsInto(root: string, link: string): Promise<boolean> {
  try {
    const target = await realpath(link);
    const way = relative(root, resolve(target));
    return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way) && (await stat(target)).isFile();
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}

async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw fileFailure(error, 'The folder cannot be read.', path);
  }
}
