import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CacheLayout } from '../../../server/store/cache-layout';
import { cacheTree, expectSoundStore, heldBytes, installedVersion } from '../../support/faults/cache-state';
import { MEBIBYTE } from '../../support/faults/lane';
import {
  type ModelFiles,
  manyBytes,
  type PullSite,
  type SiteOptions,
  startPullSite
} from '../../support/faults/pull-site';
import { memoryFolder } from '../../support/memory-folder';
import { type RunningCli, startCli } from '../../support/run-cli';

const SHARED = manyBytes(8 * MEBIBYTE, 1);
const FILES: ModelFiles = new Map([
  ['weights.gguf', SHARED],
  ['vae.gguf', manyBytes(MEBIBYTE, 2)]
]);
const TOTAL = 9 * MEBIBYTE;

interface House {
  readonly home: string;
  readonly site: PullSite;
  readonly start: (manifest: string) => RunningCli;
}

async function house(options: SiteOptions = {}): Promise<House> {
  const folder = await memoryFolder();
  const home = join(folder, 'home');
  await mkdir(home);
  const site = await startPullSite(join(folder, 'site'), options);
  onTestFinished(() => site.close());
  const start = (manifest: string): RunningCli => {
    const running = startCli(['pull', manifest], { home });
    onTestFinished(() => void running.child.kill('SIGKILL'));
    return running;
  };
  return { home, site, start };
}

/** Waits until some bytes of a model are on disk. */
async function untilHeld(home: string, bytes: number): Promise<void> {
  while ((await heldBytes(home, FILES)) < bytes) await after(20);
}

async function expectInstalled(home: string, name: string, files = FILES): Promise<void> {
  await expectSoundStore(home);
  expect(await installedVersion(home, name, new Map([['v1', files]]))).toBe('v1');
}

/** Nothing is left but models, blobs and the registry. */
async function expectTidy(home: string): Promise<void> {
  expect((await cacheTree(home)).filter((path) => path.startsWith('.'))).toEqual([]);
}

describe('several processes', () => {
  it.each([2, 8])('%i of them that pull one model transfer each content once', async (count) => {
    const { home, site, start } = await house({ bytesPerSecond: 8 * MEBIBYTE });
    const manifest = await site.publish('v1', FILES, { name: 'm' });
    const ends = await Promise.all(Array.from({ length: count }, () => start(manifest).ended));
    for (const end of ends) expect(end).toMatchObject({ status: 0 });
    expect(site.sentBytes).toBe(TOTAL);
    await expectInstalled(home, 'm');
    await expectTidy(home);
  });

  it('that pull different models with a content in common transfer it once', async () => {
    const { home, site, start } = await house({ bytesPerSecond: 8 * MEBIBYTE });
    const models = await Promise.all(
      [1, 2, 3].map(async (number) => {
        const files = new Map([
          ['weights.gguf', SHARED],
          ['own.gguf', manyBytes(1000, 10 + number)]
        ]);
        // Of one revision, so that they lie in folders of their own on the server.
        const manifest = await site.publish(`model-${number}`, files, { name: `m${number}` });
        return { name: `m${number}`, revision: `model-${number}`, files, manifest };
      })
    );
    const ends = await Promise.all(models.map(({ manifest }) => start(manifest).ended));
    for (const end of ends) expect(end).toMatchObject({ status: 0 });
    expect(site.sentBytes).toBe(SHARED.length + 3 * 1000);
    for (const { name, revision, files } of models) {
      expect(await installedVersion(home, name, new Map([[revision, files]]))).toBe(revision);
    }
    await expectTidy(home);
  });

  it('hand over when the one that transfers is killed', async () => {
    const { home, site, start } = await house({ bytesPerSecond: 4 * MEBIBYTE });
    const manifest = await site.publish('v1', FILES, { name: 'm' });
    const first = start(manifest);
    await untilHeld(home, 2 * MEBIBYTE);
    const others = [start(manifest), start(manifest)];
    await untilHeld(home, 4 * MEBIBYTE);
    first.child.kill('SIGKILL');
    await first.ended;
    const missing = TOTAL - (await heldBytes(home, FILES));
    site.reset();
    for (const other of others) expect(await other.ended).toMatchObject({ status: 0 });
    expect(site.sentBytes).toBeLessThanOrEqual(missing + MEBIBYTE);
    await expectInstalled(home, 'm');
    // The others may have looked for leavings before there were any; the next start does.
    expect(await startCli(['list'], { home }).ended).toMatchObject({ status: 0 });
    await expectTidy(home);
  });

  it('do not wait for ever for one that is stopped, and it harms nothing when it goes on', async () => {
    const { home, site, start } = await house({ bytesPerSecond: 4 * MEBIBYTE });
    const manifest = await site.publish('v1', FILES, { name: 'm' });
    const stopped = start(manifest);
    await untilHeld(home, 2 * MEBIBYTE);
    stopped.child.kill('SIGSTOP');
    expect(await start(manifest).ended).toMatchObject({ status: 0 });
    await expectInstalled(home, 'm');
    stopped.child.kill('SIGCONT');
    expect(await stopped.ended).toMatchObject({ status: 0 });
    await expectInstalled(home, 'm');
    await expectTidy(home);
  });

  it('whose claims are lost transfer more, never wrong bytes', async () => {
    const { home, site, start } = await house({ bytesPerSecond: 4 * MEBIBYTE });
    const manifest = await site.publish('v1', FILES, { name: 'm' });
    const { partials } = new CacheLayout(home);
    const over = new AbortController();
    const thief = (async () => {
      while (!over.signal.aborted) {
        const entries = await readdir(partials).catch(() => []);
        for (const entry of entries) if (entry.endsWith('.claim')) await rm(join(partials, entry), { force: true });
        await after(5);
      }
    })();
    const ends = await Promise.all(Array.from({ length: 3 }, () => start(manifest).ended));
    over.abort();
    await thief;
    for (const end of ends) expect(end).toMatchObject({ status: 0 });
    expect(site.sentBytes).toBeGreaterThan(TOTAL);
    await expectInstalled(home, 'm');
    await expectTidy(home);
  });
});
