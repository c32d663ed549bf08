import { link, lstat, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  exists,
  publishFile,
  renamePatiently,
  syncDirectory,
  temporaryPath,
  writeFileDurably,
  writeTemporary
} from './durable-files';
import { isErrorWithCode } from './system-error';

/** What systems say where a volume (exFAT, FAT, some network shares) has no hard links. */
export const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'] as const;

/** Where there are no hard links, a file that is to be created by one of several writers is a folder that holds it. */
const CONTENT = 'content';

/**
 * Writes a whole new file so that of several writers one wins and nobody ever sees a part of it: by a link, which
 * fails where a file is; on volumes without links by the rename of a folder, which fails where one with a file in it
 * is. To be read with {@link readCreatedFile} and removed with {@link removeCreatedFile}.
 * @param isStillWanted asked while the content waits in the same folder as a temporary file
 * @returns whether it is ours; false when there was one already, which is left as it is, or when it is not wanted
 */
export async function createFileDurably(
  path: string,
  data: string | Uint8Array,
  isStillWanted = async (): Promise<boolean> => true
): Promise<boolean> {
  const temporary = await writeTemporary(dirname(path), data);
  try {
    if (!(await isStillWanted())) return false;
    await link(temporary, path);
  } catch (error) {
    if (isErrorWithCode(error, 'EEXIST')) return false;
    if (isErrorWithCode(error, ...NO_HARD_LINKS)) return await createAsFolder(path, data, isStillWanted);
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolderOf(path);
  return true;
}

/** A folder that somebody removed with all that was in it has nothing to make last. */
async function syncFolderOf(path: string): Promise<void> {
  try {
    await syncDirectory(dirname(path));
  } catch (error) {
    if (!isErrorWithCode(error, 'ENOENT')) throw error;
  }
}

/**
 * Reads what {@link createFileDurably} wrote.
 * @throws system errors; ENOENT when there is none, and not for a folder that somebody else put there
 */
export async function readCreatedFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    // Windows refuses to open a folder.
    if (!isErrorWithCode(error, 'EISDIR', 'EPERM', 'EACCES')) throw error;
    return (await readContent(path)) ?? (await readAgain(path, error));
  }
}

/**
 * The path of the plain file that holds what {@link createFileDurably} wrote.
 * @throws system errors; ENOENT when there is none
 */
export async function locateCreatedFile(path: string): Promise<string> {
  return (await lstat(path)).isDirectory() ? join(path, CONTENT) : path;
}

/** It was another one's meanwhile, or is gone, or never was one of ours. */
async function readAgain(path: string, error: unknown): Promise<string> {
  if (!(await exists(path))) throw Object.assign(new Error(`ENOENT: ${path} is gone`), { code: 'ENOENT' });
  const content = await readContent(path);
  if (content === undefined) throw error;
  return content;
}

async function readContent(path: string): Promise<string | undefined> {
  try {
    return await readFile(join(path, CONTENT), 'utf8');
  } catch (error) {
    if (isErrorWithCode(error, 'ENOENT', 'ENOTDIR', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

/** Removes what {@link createFileDurably} wrote; a no-op when there is none. */
export async function removeCreatedFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    if (!isErrorWithCode(error, 'EISDIR', 'EPERM', 'ERR_FS_EISDIR')) throw error;
    // Moved away first: emptied in its place, it could be replaced by another writer's in the middle.
    const grave = await temporaryPath(dirname(path));
    try {
      await renamePatiently(path, grave);
    } catch (inner) {
      if (isErrorWithCode(inner, 'ENOENT')) return;
      throw inner;
    }
    await rm(grave, { recursive: true, force: true });
  }
}

async function createAsFolder(
  path: string,
  data: string | Uint8Array,
  isStillWanted: () => Promise<boolean>
): Promise<boolean> {
  const folder = await temporaryPath(dirname(path));
  try {
    await mkdir(folder);
    await writeFileDurably(join(folder, CONTENT), data);
    if (!(await isStillWanted())) {
      await rm(folder, { recursive: true, force: true });
      return false;
    }
    await publishFile(folder, path);
    return true;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    // Windows tells a folder in the way as a refusal.
    if (isErrorWithCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOTDIR') || (await isTaken(path, error))) return false;
    throw error;
  }
}

async function isTaken(path: string, error: unknown): Promise<boolean> {
  if (!isErrorWithCode(error, 'EPERM', 'EACCES')) return false;
  return readCreatedFile(path).then(
    () => true,
    () => false
  );
}
