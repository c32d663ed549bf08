import type { BigIntStats } from 'node:fs';
import { lstat, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { errorCode, isErrorWithCode } from '../../platform/system-error';

/** A file on disk as the cache's readers need it. */
export interface FileOnDisk {
  readonly path: string;
  readonly bytes: number;
  /** Tells contents apart: device and inode. */
  readonly key: string;
  /** When it was last written and last read, in ms since the epoch. */
  readonly modifiedAt: number;
  readonly accessedAt: number;
}

/** What lies at the end of a chain of links. */
export type ChainEnd =
  | ({ readonly kind: 'file' } & FileOnDisk)
  | { readonly kind: 'missing'; readonly path: string }
  /** Nothing there was looked at. */
  | { readonly kind: 'outside'; readonly path: string }
  | { readonly kind: 'circle' }
  | { readonly kind: 'not-a-file'; readonly path: string }
  | { readonly kind: 'unreadable'; readonly path: string; readonly code: string };

/** The way from a path to its content. */
export interface LinkChain {
  /** The target of every link, in order, with all folders resolved; none when the path is no link. */
  readonly targets: readonly string[];
  readonly end: ChainEnd;
}

/** As many as Linux follows. */
const MOST_LINKS = 40;

/**
 * Follows links one by one and never beyond a folder. What is asked of a path there is asked of the path itself, so
 * that no folder on the way can be a link that leads elsewhere.
 */
export class LinkFollower {
  private readonly folders = new Map<string, Promise<string>>();

  /** @param root the folder that is not left, itself without links */
  constructor(private readonly root: string) {}

  /** @param path in the root, its folders without links. @throws nothing for what the disk says of one file */
  async follow(path: string): Promise<LinkChain> {
    const targets: string[] = [];
    let at = path;
    try {
      for (;;) {
        const found = await lstat(at, { bigint: true });
        if (!found.isSymbolicLink()) return { targets, end: endOf(at, found) };
        at = await this.target(at);
        const isRepeated = targets.includes(at) || at === path;
        targets.push(at);
        if (!isInside(this.root, at)) return { targets, end: { kind: 'outside', path: at } };
        if (isRepeated || targets.length > MOST_LINKS) return { targets, end: { kind: 'circle' } };
      }
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined) throw error;
      return { targets, end: faultyEnd(at, code) };
    }
  }

  private async target(link: string): Promise<string> {
    const target = resolve(dirname(link), plainPath(await readlink(link)));
    const folder = dirname(target);
    let resolved = this.folders.get(folder);
    if (!resolved) {
      resolved = realpath(folder).catch((error: unknown) => {
        // A folder that is not there makes the file missing, at the place that was meant.
        if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return folder;
        throw error;
      });
      this.folders.set(folder, resolved);
    }
    return join(await resolved, basename(target));
  }
}

/** Whether a path lies in a folder; both absolute and without links. */
function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Windows writes some link targets with a prefix that switches off the rules for paths. */
function plainPath(target: string): string {
  return target.replace(/^\\\\\?\\UNC\\/i, '\\\\').replace(/^\\\\\?\\/, '');
}

function endOf(path: string, found: BigIntStats): ChainEnd {
  if (!found.isFile()) return { kind: 'not-a-file', path };
  return {
    kind: 'file',
    path,
    bytes: Number(found.size),
    key: `${found.dev}:${found.ino}`,
    modifiedAt: Number(found.mtimeMs),
    accessedAt: Number(found.atimeMs)
  };
}

function faultyEnd(path: string, code: string): ChainEnd {
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing', path };
  if (code === 'ELOOP') return { kind: 'circle' };
  return { kind: 'unreadable', path, code };
}
