import { chmod, constants, copyFile, link, rm } from 'node:fs/promises';
import { syncFile } from '../platform/durable-files';
import { NO_HARD_LINKS } from '../platform/exclusive-files';
import { errorCode, isErrorWithCode } from '../platform/system-error';

/**
 * Gives a bundle its file: a hard link to the blob, where the volume has none a reflink, else a copy.
 * @returns whether it is a copy with bytes of its own
 */
export async function placeBlob(blob: string, target: string): Promise<boolean> {
  try {
    await link(blob, target);
    return false;
  } catch (error) {
    if (!isErrorWithCode(error, ...NO_HARD_LINKS)) throw error;
    const isShared = await sharesBlocks(blob, target);
    if (!isShared) await copyFile(blob, target, constants.COPYFILE_EXCL);
    // The copy has its blob's mode, and what is read-only cannot be synced everywhere.
    await chmod(target, 0o644);
    await syncFile(target);
    await chmod(target, 0o444);
    return !isShared;
  }
}

/** Copies a file so that both share their blocks. @returns false where the volume cannot; then nothing is copied */
async function sharesBlocks(file: string, copy: string): Promise<boolean> {
  try {
    await copyFile(file, copy, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errorCode(error) === undefined || isErrorWithCode(error, 'ENOENT', 'EEXIST')) throw error;
    await rm(copy, { force: true });
    return false;
  }
}
