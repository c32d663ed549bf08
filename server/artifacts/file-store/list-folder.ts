import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cancelled } from '../../../shared/failure';
import { isErrorWithCode } from '../../platform/system-error';
import type { ListedObject } from '../object-store';
import { parseStoreKey, type StoreKey } from '../store-key';
import { newestGeneration } from './document-folder';
import { fileNameOf, segmentOfDocument, segmentOfFile } from './file-names';
import type { StoreFolder } from './store-folder';

/** Something in a store's folder that a key may name. */
interface Found {
  readonly kind: 'folder' | 'document' | 'object';
  readonly key: StoreKey;
  readonly path: string;
}

/** Every object and document below a key, or of the whole folder. Links, and files of other names, are left out. */
export async function* listFolder(
  folder: StoreFolder,
  below: StoreKey | null,
  signal: AbortSignal
): AsyncIterable<ListedObject> {
  const names = below === null ? [] : below.split('/').map(fileNameOf);
  if (names.length > 0 && (await folder.look(names)) === undefined) return;
  const waiting = [{ path: folder.pathOf(names), key: below }];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const entry of await entriesIn(at.path)) {
      if (signal.aborted) throw cancelled('Listing the store');
      const found = foundAs(entry, at);
      if (found?.kind === 'folder') waiting.push(found);
      else if (found) yield* describe(found);
    }
  }
}

function foundAs(entry: Dirent, parent: { readonly path: string; readonly key: StoreKey | null }): Found | undefined {
  const document = entry.isDirectory() ? segmentOfDocument(entry.name) : undefined;
  const segment = document ?? segmentOfFile(entry.name);
  if (segment === undefined || !(entry.isDirectory() || entry.isFile())) return undefined;
  const key = parseStoreKey(parent.key === null ? segment : `${parent.key}/${segment}`);
  const folderKind = document === undefined ? 'folder' : 'document';
  return key && { kind: entry.isFile() ? 'object' : folderKind, key, path: join(parent.path, entry.name) };
}

async function* describe({ kind, key, path }: Found): AsyncIterable<ListedObject> {
  if (kind === 'document') {
    const newest = await newestGeneration(path);
    if (newest) yield { key, bytes: newest.bytes, changedAtUnixMs: newest.changedAtUnixMs };
    return;
  }
  const file = await lookAt(path);
  // A second name of an old file counts as new: the system tells when it got it.
  if (file) yield { key, bytes: file.size, changedAtUnixMs: Math.floor(Math.max(file.mtimeMs, file.ctimeMs)) };
}

async function lookAt(path: string): Promise<Stats | undefined> {
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
