import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import type { ProcessIdentity } from '../../server/platform/process-identity';
import { memoryFolder } from '../support/memory-folder';
import { snapshot } from '../support/sample-bundle';
import { CacheUnderTest } from '../support/store-model/cache-under-test';
import { anyCommand } from '../support/store-model/commands';
import { emptyWorld } from '../support/store-model/world';

/** More than any process id can be: whoever had it is dead as soon as somebody else is asked for. */
const process = vi.hoisted(() => ({ pid: 5_000_000 }));

vi.mock(import('../../server/platform/process-identity'), async (importOriginal) => {
  const original = await importOriginal();
  const ownIdentity = async (): Promise<ProcessIdentity> => ({ ...(await original.ownIdentity()), pid: process.pid });
  const isProvedDead = async (identity: ProcessIdentity): Promise<boolean> =>
    identity.pid !== process.pid && original.isProvedDead(identity);
  return { ...original, ownIdentity, isProvedDead };
});

/** How many histories are tried; DIFFUSION_DOCK_TEST_HISTORIES asks for more, then with a new seed each time. */
const MORE = Number(globalThis.process.env['DIFFUSION_DOCK_TEST_HISTORIES'] ?? 0);

it('does what a simple model of it says through any history of use, damage and crashes', {
  timeout: 120_000 + MORE * 10_000
}, async () => {
  const commands = fc.commands([anyCommand], { maxCommands: 25, size: 'max' });
  const history = fc.asyncProperty(commands, async (steps) => {
    const folder = await memoryFolder();
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'mine.txt'), 'not yours');
    const cache = await CacheUnderTest.create(folder, () => {
      process.pid += 1;
    });
    const before = await Promise.all([snapshot(outside), snapshot(join(folder, 'manifests'))]);
    try {
      await fc.asyncModelRun(() => ({ model: { world: emptyWorld() }, real: cache }), steps);
      expect(await Promise.all([snapshot(outside), snapshot(join(folder, 'manifests'))])).toEqual(before);
    } finally {
      await cache.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });
  await fc.assert(history, MORE > 0 ? { numRuns: MORE, endOnFailure: true } : { numRuns: 15, seed: 20_260 });
});
