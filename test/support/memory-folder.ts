import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A file system in memory, on Linux. */
export const MEMORY = '/dev/shm';

/**
 * A fresh folder in memory where there is one, else on disk, removed when the test ends: for tests that kill
 * processes many times, where syncing to a disk is most of the time and shows nothing.
 */
export async function memoryFolder(): Promise<string> {
  const parent = await access(MEMORY).then(
    () => MEMORY,
    () => tmpdir()
  );
  const folder = await mkdtemp(join(parent, 'diffusion-dock-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
