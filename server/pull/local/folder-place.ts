import { type Dirent, type Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Digest } from '../../../shared/digest';
import { cancelled } from '../../../shared/failure';
import { collisionKey } from '../../../shared/file-name';
import type { Log } from '../../platform/log';
import { errorCode } from '../../platform/system-error';
import type { AdoptionCandidate, AdoptionPlace, SoughtContent } from './adoption-place';

export interface FolderPlaceOptions {
  readonly log: Log;
  /** Absolute paths of folders that are not looked into. */
  readonly except: readonly string[];
  /** How far a look goes. */
  readonly bounds?: ScanBounds;
}

export interface ScanBounds {
  /** Folders below the first one. */
  readonly depth: number;
  /** Files and folders in all. */
  readonly entries: number;
}

/** Far more than any folder of models has, and less than a home folder. */
const BOUNDS: ScanBounds = { depth: 8, entries: 100_000 };

/** Contents by size where it is known, and by file name where it is not. */
class Wanted {
  private readonly bySize = new Map<number, SoughtContent[]>();
  private readonly byName = new Map<string, SoughtContent[]>();

  constructor(sought: readonly SoughtContent[]) {
    for (const content of sought) {
      if (content.bytes === null) push(this.byName, collisionKey(content.filename), content);
      else push(this.bySize, content.bytes, content);
    }
  }

  matching(name: string, bytes: number): readonly SoughtContent[] {
    return [...(this.bySize.get(bytes) ?? []), ...(this.byName.get(collisionKey(name)) ?? [])];
  }
}

/**
 * A folder of files that somebody collected, for example the model folder of another program. Links are not followed,
 * so nothing outside of the folder is read.
 * @param folder absolute path
 */
export function folderPlace(folder: string, { log, except, bounds = BOUNDS }: FolderPlaceOptions): AdoptionPlace {
  return {
    async candidates(sought, signal) {
      const wanted = new Wanted(sought);
      const found = new Map<Digest, AdoptionCandidate[]>();
      for await (const { name, path, bytes } of filesIn(folder, { log, except, bounds, signal })) {
        for (const { digest, filename } of wanted.matching(name, bytes)) {
          const candidate = { path, bytes, isNamedByDigest: false };
          // The one with the right name is the likeliest of those with the right size.
          if (collisionKey(name) === collisionKey(filename)) found.get(digest)?.unshift(candidate);
          else found.get(digest)?.push(candidate);
          if (!found.has(digest)) found.set(digest, [candidate]);
        }
      }
      return found;
    }
  };
}

interface FoundFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

type ScanOptions = Required<FolderPlaceOptions> & { readonly signal: AbortSignal };

/** The regular files of a folder, nearest first; a look that becomes too long is broken off and said. */
async function* filesIn(root: string, { log, except, bounds, signal }: ScanOptions): AsyncIterable<FoundFile> {
  const excluded = new Set(except.map((path) => resolve(path)));
  let folders = [resolve(root)];
  let seen = 0;
  for (let depth = 0; depth <= bounds.depth && folders.length > 0; depth += 1) {
    const deeper: string[] = [];
    for (const folder of folders) {
      for (const entry of await entriesIn(folder, log)) {
        if (signal.aborted) throw cancelled('The search');
        seen += 1;
        if (seen > bounds.entries) {
          log.warn('search broken off: too many files', { folder: root, entries: bounds.entries });
          return;
        }
        const path = join(folder, entry.name);
        if (entry.isDirectory() && !excluded.has(path)) deeper.push(path);
        if (!entry.isFile()) continue;
        const facts = await factsOf(path);
        if (facts?.isFile()) yield { name: entry.name, path, bytes: facts.size };
      }
    }
    folders = deeper;
  }
  if (folders.length > 0) log.warn('search broken off: folders too deep', { folder: root, depth: bounds.depth });
}

async function entriesIn(folder: string, log: Log): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    log.warn('folder passed over', { folder, reason: errorCode(error) ?? 'unreadable' });
    return [];
  }
}

async function factsOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch {
    // It is gone by now.
    return undefined;
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
