import { constants, copyFile, link, rm } from 'node:fs/promises';
import { temporaryPath, writeTemporary } from './durable-files';
import { NO_HARD_LINKS } from './exclusive-files';
import { errorCode, isErrorWithCode } from './system-error';

/**
 * Whether a file can be had under a second name without room of its own, by a hard link or a reflink, found out by
 * trying; true as well where nothing can be tried.
 * @param folder one that temporary files are removed from after a crash
 */
export async function areCopiesFree(folder: string): Promise<boolean> {
  try {
    const file = await writeTemporary(folder, 'content');
    const copy = await temporaryPath(folder);
    try {
      await link(file, copy);
      return true;
    } catch (error) {
      return !isErrorWithCode(error, ...NO_HARD_LINKS) || (await isReflinked(file, copy));
    } finally {
      for (const path of [file, copy]) await rm(path, { force: true });
    }
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return true;
  }
}

async function isReflinked(file: string, copy: string): Promise<boolean> {
  try {
    await copyFile(file, copy, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}
