import { constants, copyFile, link, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRotating } from '../../platform/disk-turns';
import { temporaryPath } from '../../platform/durable-files';
import { errorCode } from '../../platform/system-error';

/** What a volume can do, found out by trying. */
export interface VolumeAbilities {
  readonly hardLinks: boolean;
  /** Copies that share their blocks until one is changed. */
  readonly reflinks: boolean;
  readonly symbolicLinks: boolean;
  /** Whether `A` and `a` are two files. */
  readonly caseSensitive: boolean;
  readonly rotating: boolean;
}

/**
 * Tries what the volume of a folder can do, in a folder of its own that is removed again.
 * @param folder an existing folder
 * @throws system errors when nothing can be written there
 */
export async function volumeAbilities(folder: string): Promise<VolumeAbilities> {
  const scratch = await temporaryPath(folder);
  await mkdir(scratch);
  try {
    const file = join(scratch, 'file');
    await writeFile(file, 'content');
    return {
      hardLinks: await works(() => link(file, join(scratch, 'hard-link'))),
      reflinks: await works(() => copyFile(file, join(scratch, 'reflink'), constants.COPYFILE_FICLONE_FORCE)),
      symbolicLinks: await works(() => symlink('file', join(scratch, 'symbolic-link'))),
      caseSensitive: !(await works(() => stat(join(scratch, 'FILE')))),
      rotating: await isRotating((await stat(scratch)).dev)
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function works(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return false;
  }
}
