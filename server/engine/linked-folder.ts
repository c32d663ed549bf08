import { constants } from 'node:fs';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { errorCode, fileFailure } from '../platform/system-error';

/** What systems answer that have no symbolic links, or none for this user. */
const NO_LINKS = new Set(['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'UNKNOWN']);

/**
 * Makes a folder for the engine that holds these files and nothing else: links to them, or copies where the system has
 * no links. Hard links would change the times of files that are remembered by them.
 * @param folder absolute path; its parent is there
 * @param files absolute paths with different base names
 * @throws Failure 'file-access' or 'disk-full'
 */
export async function makeLinkedFolder(folder: string, files: readonly string[]): Promise<void> {
  try {
    await mkdir(folder);
    for (const file of files) await linkInto(folder, file);
  } catch (error) {
    throw fileFailure(error, 'The files for the run cannot be put together.', folder);
  }
}

/**
 * Puts a link to a file, or a copy of it, into a folder that is there.
 * @throws Failure 'file-access' or 'disk-full'
 */
export async function linkInto(folder: string, file: string): Promise<void> {
  try {
    await linkOrCopy(file, join(folder, basename(file)));
  } catch (error) {
    throw fileFailure(error, 'The file cannot be put into the folder of the run.', file);
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await symlink(from, to);
  } catch (error) {
    if (!NO_LINKS.has(errorCode(error) ?? '')) throw error;
    await copyFile(from, to, constants.COPYFILE_FICLONE);
  }
}
