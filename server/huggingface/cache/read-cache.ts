import { lstat, open, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, fileFailure, isErrorWithCode } from '../../platform/system-error';
import { looksLikeRepositoryFolder, parseRepositoryFolder } from '../repository';
import type { CacheContents, CachedRepository, SharedBlob } from './cache-contents';
import { type FileOnDisk, LinkFollower } from './follow-links';
import { forEachBounded, ProblemList, readEntries } from './read-folder';
import { readRepository } from './read-repository';

/** The folder of the shared store, and the file that says that it is one (huggingface_hub's `_shared_blobs.py`). */
const SHARED_STORE = 'blobs';
const SHARED_STORE_MARK = '.huggingface-shared-blobs';
const SHARED_STORE_MARK_TEXT = '1\n';

/**
 * Reads everything in a cache. A part that is broken is listed with a reason and keeps nothing else from being read.
 * @returns undefined when there is no cache
 * @throws Failure when the folder itself cannot be read
 */
export async function readCache(folder: string): Promise<CacheContents | undefined> {
  const root = await realFolder(folder);
  if (root === undefined) return undefined;
  const problems = new ProblemList(root);
  const follower = new LinkFollower(root);
  const repositories: CachedRepository[] = [];
  for (const entry of (await readEntries(root, problems)) ?? []) {
    if (!looksLikeRepositoryFolder(entry.name)) continue;
    const path = join(root, entry.name);
    const id = parseRepositoryFolder(entry.name);
    if (!id) problems.add(path, 'The folder is not named as a repository of the hub.');
    else if (!entry.isDirectory()) problems.add(path, 'This is no folder of this cache; links are left alone.');
    else repositories.push(await readRepository(id, path, { root, follower }));
  }
  const shared = await readSharedStore(root, follower, problems);
  return { root, repositories, shared, problems: problems.found };
}

async function realFolder(folder: string): Promise<string | undefined> {
  try {
    const root = await realpath(folder);
    return (await lstat(root)).isDirectory() ? root : undefined;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw fileFailure(error, 'The Hugging Face cache cannot be read.', folder);
  }
}

async function readSharedStore(
  root: string,
  follower: LinkFollower,
  problems: ProblemList
): Promise<readonly SharedBlob[]> {
  const store = join(root, SHARED_STORE);
  if (!(await isMarked(store))) return [];
  const blobs: SharedBlob[] = [];
  for (const prefix of (await readEntries(store, problems)) ?? []) {
    if (!prefix.isDirectory() || !/^[0-9a-f]{2}$/.test(prefix.name)) continue;
    const folder = join(store, prefix.name);
    const names = ((await readEntries(folder, problems)) ?? []).map(({ name }) => name);
    const hashes = names.filter((name) => /^[0-9a-f]{64}$/.test(name) && name.startsWith(prefix.name));
    const files = await forEachBounded(hashes, async (name): Promise<FileOnDisk[]> => {
      const { targets, end } = await follower.follow(join(folder, name));
      return end.kind === 'file' && targets.length === 0 ? [end] : [];
    });
    blobs.push(...(await forEachBounded(files.flat(), (file) => withUsers(file, root, follower))));
  }
  return blobs;
}

/** Far more than a content has users. */
const LARGEST_USERS_BYTES = 4 * 1024 * 1024;

/** A user as the shared store lists it: an entry of a repository's `blobs`. */
const USER = /^(models|datasets|spaces)--[^/]+\/blobs\/[^/]+$/;

/** The list is a hint: a user counts only while its entry still leads to the content. */
async function withUsers(file: FileOnDisk, root: string, follower: LinkFollower): Promise<SharedBlob> {
  const path = sharedUsersPath(file.path);
  try {
    const found = await lstat(path);
    if (!found.isFile() || found.size > LARGEST_USERS_BYTES) return { file };
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
    if (!lines.every((line) => USER.test(line))) return { file };
    const users = await forEachBounded([...new Set(lines)], async (line) => {
      const user = join(root, ...line.split('/'));
      return (await follower.follow(user)).targets.includes(file.path) ? [user] : [];
    });
    return { file, users: users.flat() };
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return { file };
  }
}

/** Where the shared store lists who uses a content. */
export function sharedUsersPath(blob: string): string {
  return `${blob}.refs`;
}

/** Without its mark a folder of that name is somebody else's, and left alone. */
async function isMarked(store: string): Promise<boolean> {
  try {
    if (!(await lstat(store)).isDirectory()) return false;
    const mark = join(store, SHARED_STORE_MARK);
    if (!(await lstat(mark)).isFile()) return false;
    const file = await open(mark, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
      return buffer.toString('utf8', 0, bytesRead) === SHARED_STORE_MARK_TEXT;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) return false;
    throw error;
  }
}
