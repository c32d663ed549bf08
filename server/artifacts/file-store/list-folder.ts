import { type Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cancelled } from '../../../shared/failure';
import { isErrorWithCode } from '../../platform/system-error';
import type { ListedObject } from '../object-store';
import { parseStoreKey, type StoreKey } from '../store-key';
import { newestGeneration } from './document-folder';
import { fileNameOf, segmentOfDocument, segmentOfFile } from './file-names';
import type { StoreFolder } from './store-folder';

/** Every object and document below a key, or of the whole folder. Links, and files of other names, are left out. */
export async function* listFolder(
  folder: StoreFolder,
  below: StoreKey | null,
  signal: AbortSignal
): AsyncIterable<ListedObject> {
  const segments = below === null ? [] : below.split('/');
  const names = segments.map(fileNameOf);
  if (names.length > 0 && (await folder.look(names)) === undefined) return;
  const waiting = [{ path: folder.pathOf(names), segments }];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const entry of await entriesIn(at.path)) {
      if (signal.aborted) throw cancelled('Listing the store');
      const path = join(at.path, entry.name);
      const isFolder = entry.isDirectory() && segmentOfDocument(entry.name) === undefined;
      const segment = isFolder ? segmentOfFile(entry.name) : undefined;
      if (segment === undefined) yield* listed(entry, path, at.segments);
      else waiting.push({ path, segments: [...at.segments, segment] });
    }
  }
}

async function* listed(entry: Dirent, path: string, parents: readonly string[]): AsyncIterable<ListedObject> {
  const segment = entry.isDirectory() ? segmentOfDocument(entry.name) : segmentOfFile(entry.name);
  const key = segment === undefined ? undefined : parseStoreKey([...parents, segment].join('/'));
  if (key === undefined) return;
  if (entry.isDirectory()) {
    const newest = await newestGeneration(path);
    if (newest) yield { key, bytes: newest.bytes, changedAtUnixMs: newest.changedAtUnixMs };
  } else if (entry.isFile()) {
    const found = await lookAt(path);
    // A second name of an old file counts as new: the system tells when it got it.
    if (found) yield { key, bytes: found.size, changedAtUnixMs: Math.floor(Math.max(found.mtimeMs, found.ctimeMs)) };
  }
}

async function lookAt(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function entriesIn(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
