import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { HubCacheProblem } from '../../../shared/hub-cache';
import { errorCode, isErrorWithCode } from '../../platform/system-error';

/** How deep folders of a repository are followed; file systems allow no more by far. */
const DEEPEST_FOLDER = 64;

/** How many entries of one tree of folders are listed. */
const MOST_ENTRIES = 200_000;

/** How many files are asked for at the same time. */
const AT_ONCE = 32;

/** Notes what is wrong in a cache while it is read, with paths as people know them. */
export class ProblemList {
  readonly found: HubCacheProblem[] = [];

  /** @param root the cache that paths are told relative to */
  constructor(private readonly root: string) {}

  add(path: string, reason: string): void {
    this.found.push({ path: cachePath(this.root, path), reason });
  }
}

/** A path relative to the cache, with `/`. */
export function cachePath(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}

/** The entries of a folder, sorted by name; none when it is not there, undefined when it cannot be read. */
export async function readEntries(folder: string, problems: ProblemList): Promise<readonly Dirent[] | undefined> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return [];
    const code = errorCode(error);
    if (code === undefined) throw error;
    problems.add(folder, code === 'ENOTDIR' ? 'This is no folder.' : `The folder cannot be read (${code}).`);
    return undefined;
  }
}

/** What a walk through folders found. */
export interface FoundFiles {
  /** Absolute paths of everything that is no folder, links among them. */
  readonly paths: readonly string[];
  /** Whether all of it was seen. */
  readonly isWhole: boolean;
}

/** Everything below a folder that is no folder itself. Links are never followed. */
export async function filesBelow(folder: string, problems: ProblemList): Promise<FoundFiles> {
  const paths: string[] = [];
  let isWhole = true;
  const walk = async (at: string, depth: number): Promise<void> => {
    const entries = await readEntries(at, problems);
    if (!entries) isWhole = false;
    for (const entry of entries ?? []) {
      const path = join(at, entry.name);
      if (paths.length >= MOST_ENTRIES || depth > DEEPEST_FOLDER) {
        if (isWhole) problems.add(folder, 'There are more files or folders here than are listed.');
        isWhole = false;
        return;
      }
      if (entry.isDirectory()) await walk(path, depth + 1);
      else paths.push(path);
    }
  };
  await walk(folder, 0);
  return { paths, isWhole };
}

/** Does something for every item, a bounded number at a time; the results keep the order. */
export async function forEachBounded<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  }
  return results;
}
