import { type FileHandle, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { entriesOf } from './folder-entries';
import { isGone, nonce, ownerTag, ownIdentity, parseOwnerTag } from './process-identity';
import { isErrorWithCode } from './system-error';

/**
 * Makes the entries of a folder survive a power cut. A no-op on Windows, which has no such call and writes
 * directory changes through its journal.
 */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await withFile(path, 'r', (folder) => folder.sync());
}

/** Makes the content of a file survive a power cut. */
export async function syncFile(path: string): Promise<void> {
  await withFile(path, 'r+', (file) => file.sync());
}

/** Creates a folder and its missing parents so that they survive a power cut. */
export async function makeDirectoryDurably(path: string): Promise<void> {
  const first = await makeDirectories(path);
  if (first === undefined) return;
  // Every new entry is recorded in its parent: from the new folder up to the one that existed.
  for (let folder = path; ; folder = dirname(folder)) {
    await syncDirectory(dirname(folder));
    if (folder === first || folder === dirname(folder)) return;
  }
}

/** @returns the first folder that was not there; undefined when all were */
async function makeDirectories(path: string): Promise<string | undefined> {
  try {
    return await mkdir(path, { recursive: true });
  } catch (error) {
    // Node says so when it is another fault, such as a full disk. One by one, the true one is told.
    if (!isErrorWithCode(error, 'ENOENT') || dirname(path) === path) throw error;
    const first = await makeDirectories(dirname(path));
    await mkdir(path);
    return first ?? path;
  }
}

/** Renames a file whose content is already synced, and makes the rename survive a power cut. Replaces `target`. */
export async function publishFile(temporary: string, target: string): Promise<void> {
  await renamePatiently(temporary, target);
  await syncDirectory(dirname(target));
}

/**
 * Writes a whole file so that after a crash at any instant it holds the old content or the new, never a mixture.
 * @throws system errors; the temporary file is removed then
 */
export async function writeFileDurably(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = await writeTemporary(dirname(path), data);
  try {
    await publishFile(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes the temporary files in a folder whose writers are gone. @returns how many */
export async function removeAbandonedTemporaries(folder: string): Promise<number> {
  let removed = 0;
  for (const entry of await entriesOf(folder)) {
    const [, tag] = TEMPORARY.exec(entry) ?? [];
    const writer = tag === undefined ? undefined : parseOwnerTag(tag);
    const path = join(folder, entry);
    if (!writer || !(await isGone(writer, await lastChangeOf(path)))) continue;
    await rm(path, { recursive: true, force: true });
    removed += 1;
  }
  return removed;
}

/** In ms since the epoch; now for what is gone. */
async function lastChangeOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).mtimeMs;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return Date.now();
    throw error;
  }
}

/** A temporary file names its writer, so that it can be told when nobody will ever finish it. */
const TEMPORARY = /^\.(.+)\.tmp$/;

/** Whether a file's name is that of a temporary one. */
export function isTemporary(name: string): boolean {
  return TEMPORARY.test(name);
}

/** A path in a folder that no other process uses; what lies there is removed when this process is gone. */
export async function temporaryPath(folder: string): Promise<string> {
  return join(folder, `.${ownerTag(await ownIdentity(), nonce())}.tmp`);
}

/** @returns the path of a synced file beside the one that is to be written */
export async function writeTemporary(folder: string, data: string | Uint8Array): Promise<string> {
  const temporary = await temporaryPath(folder);
  try {
    await withFile(temporary, 'wx', async (file) => {
      await file.writeFile(data);
      await file.sync();
    });
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return temporary;
}

/** Opens a file, hands it over, and closes it in any case. */
export async function withFile<T>(path: string, flags: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

const RENAME_ATTEMPTS = 8;

/**
 * As {@link renamePatiently}, for what another process may have moved or removed first.
 * @returns whether it was there
 */
export async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await renamePatiently(from, to);
    return true;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Renames; on Windows a virus scanner or indexer may hold the file for a moment, so a busy file is tried again. */
export async function renamePatiently(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const busy = process.platform === 'win32' && isErrorWithCode(error, 'EPERM', 'EBUSY', 'EACCES');
      if (!busy || attempt === RENAME_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10 * 2 ** attempt));
    }
  }
}

/** Whether a path exists, without following a final link. */
export async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Whether a path is a link, wherever that leads: one to nothing can be listed, and never be read. */
export async function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false
  );
}
