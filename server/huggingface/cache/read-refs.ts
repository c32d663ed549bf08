import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { errorCode } from '../../platform/system-error';
import type { CachedRef } from './cache-contents';
import { filesBelow, forEachBounded, type ProblemList } from './read-folder';

/** Whether a name is that of a commit. */
export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** A commit has 40 characters; what is much longer is no ref. */
const MOST_REF_BYTES = 256;

/** The refs of a repository, the broken ones without a commit and listed as problems. */
export async function readRefs(folder: string, problems: ProblemList): Promise<readonly CachedRef[]> {
  const { paths } = await filesBelow(folder, problems);
  return forEachBounded(paths, async (path): Promise<CachedRef> => {
    const name = relative(folder, path).split(sep).join('/');
    const text = await readStart(path);
    if (text.kind === 'fault') {
      problems.add(path, `The ref cannot be read (${text.code}).`);
      return { name, path };
    }
    const commit = text.value.trim();
    if (isCommit(commit)) return { name, path, commit };
    problems.add(path, commit === '' ? 'The ref is empty.' : 'The ref names no commit.');
    return { name, path };
  });
}

type Start = { readonly kind: 'text'; readonly value: string } | { readonly kind: 'fault'; readonly code: string };

/** The beginning of a plain file; a link or a pipe in its place is a fault. */
async function readStart(path: string): Promise<Start> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_REF_BYTES), 0, MOST_REF_BYTES, 0);
      return { kind: 'text', value: buffer.toString('utf8', 0, bytesRead) };
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined) throw error;
    return { kind: 'fault', code };
  }
}
