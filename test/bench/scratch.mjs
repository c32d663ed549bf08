// Room for the large files of benchmarks.

import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** What stays free, in bytes. */
const RESERVE = 2 ** 30;

const BLOCK = 2 ** 20;

/**
 * Calls a function with a new folder and removes the folder afterwards.
 * @param {number} needed bytes that will be written at most at the same time
 * @param {(folder: string) => Promise<void>} use
 * @throws when the disk has not that much room
 */
export async function withScratch(needed, use) {
  const folder = await mkdtemp(path.join(await roomyFolder(needed + RESERVE), 'diffusion-dock-bench-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Memory before disks, for only one of the two programs that are compared waits until its data is on the disk. */
const PLACES = ['/dev/shm', os.tmpdir()];

async function roomyFolder(bytes) {
  for (const place of PLACES) {
    const found = await statfs(place).catch(() => undefined);
    if (found && found.bavail * found.bsize >= bytes) return place;
  }
  throw new Error(`neither of ${PLACES.join(', ')} has ${bytes} bytes free; try less --bytes`);
}

/**
 * Writes a file that does not compress. It is in the page cache afterwards, where there is room for it.
 * @param {string} file
 * @param {number} bytes
 */
export async function writeRandomFile(file, bytes) {
  const handle = await open(file, 'wx');
  try {
    for (let written = 0; written < bytes; written += BLOCK) {
      await handle.writeFile(randomBytes(Math.min(BLOCK, bytes - written)));
    }
  } finally {
    await handle.close();
  }
}
