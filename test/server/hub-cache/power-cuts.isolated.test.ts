import { lstat, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { cleanUpAfterCrashes } from '../../../server/operations/clean-up/start-up';
import { dropFromHubCache, pruneHubCache } from '../../../server/operations/hub-cache/drop-from-hub-cache';
import { healHubCache } from '../../../server/operations/hub-cache/heal-hub-cache';
import { verifyHubCache } from '../../../server/operations/hub-cache/verify-hub-cache';
import type { Services } from '../../../server/operations/services';
import { crashStates, telling } from '../../support/crash/crash-states';
import { putOnDisk } from '../../support/crash/disk';
import { recordDisk } from '../../support/crash/disk-recorder';
import { bootAnew } from '../../support/crash/next-boot';
import { BuiltCache, type CacheForm } from '../../support/hub/built-cache';
import { damage } from '../../support/hub/damage';
import { startFakeHub } from '../../support/hub/fake-hub';
import { commitOf, etagOf, type HubContent } from '../../support/hub/hub-content';
import { Random } from '../../support/random';
import { sampleBytes } from '../../support/sample-bytes';
import { testServices } from '../../support/test-services';

vi.mock(import('../../../server/platform/process-identity'), async (importOriginal) => {
  const { identitiesAfterBoot } = await import('../../support/crash/next-boot');
  return identitiesAfterBoot(await importOriginal());
});

const REPOSITORY = 'models--owner--repo';
const [OLD, NEW] = [commitOf('old'), commitOf('new')];
const weights: HubContent = { bytes: sampleBytes(5000), isLarge: true };
const later: HubContent = { bytes: sampleBytes(4000, 3), isLarge: true };
const config: HubContent = { bytes: Buffer.from('{"a":1}'), isLarge: false };
const OLD_FILES = { 'unet/weights': weights, 'config.json': config };
const NEW_FILES = { 'unet/weights': later, 'config.json': config };

/** So many states of each deed are tried. */
const STATES = Number(process.env['DIFFUSION_DOCK_TEST_STATES'] ?? 10);

const HOUR_MS = 3600 * 1000;

const options = () => ({ signal: new AbortController().signal, onProgress: () => undefined });

/** Two revisions that share a file. */
async function builtCache(form: CacheForm): Promise<BuiltCache> {
  const cache = await BuiltCache.create();
  for (const [commit, files] of Object.entries({ [OLD]: OLD_FILES, [NEW]: NEW_FILES })) {
    await cache.tree(REPOSITORY, commit, files);
    for (const [path, content] of Object.entries(files)) await cache.put(REPOSITORY, commit, path, content, form);
  }
  await cache.ref(REPOSITORY, 'main', NEW);
  return cache;
}

const pointerTo = (cache: BuiltCache, commit: string, path: string) =>
  join(cache.root, REPOSITORY, 'snapshots', commit, path);

/** Whoever comes next, two hours later: nothing young is in the way. */
async function nextServices(cache: BuiltCache, origin: string): Promise<Services> {
  bootAnew();
  const services = await testServices({
    root: join(dirname(cache.root), 'root'),
    environment: { HF_HUB_CACHE: cache.root, HF_ENDPOINT: origin }
  });
  await cleanUpAfterCrashes(services);
  return { ...services, clock: { ...services.clock, now: () => Date.now() + 2 * HOUR_MS } };
}

async function hubOrigin(): Promise<string> {
  const revisions = [
    { commit: OLD, branches: [], files: OLD_FILES },
    { commit: NEW, branches: ['main'], files: NEW_FILES }
  ];
  return (await startFakeHub({ 'owner/repo': revisions })).origin;
}

/** Does something to a cache, and looks at every state that a power cut may leave of it. */
async function tryEveryState(
  cache: BuiltCache,
  origin: string,
  act: (services: Services) => Promise<unknown>,
  check: (services: Services, isAcknowledged: boolean) => Promise<void>
): Promise<void> {
  const folder = dirname(cache.root);
  await mkdir(join(folder, 'root'));
  const services = await nextServices(cache, origin);
  const recording = await recordDisk(folder, () => act(services));
  for (const state of crashStates(recording, { most: STATES, random: new Random(1) })) {
    await telling(state, async () => {
      putOnDisk(state.disk, folder);
      const next = await nextServices(cache, origin);
      try {
        await check(next, state.moment === recording.steps.length);
      } finally {
        await next.dispose();
      }
    });
  }
}

async function corruptFiles(services: Services): Promise<string[]> {
  const reports = await verifyHubCache(services, [], options());
  return reports.flatMap(({ files }) => files.flatMap(({ path, verdict }) => (verdict === 'corrupt' ? path : [])));
}

async function expectNothingTemporary(cache: BuiltCache, services: Services): Promise<void> {
  await pruneHubCache(services, [], { dryRun: false });
  const names = await readdir(dirname(cache.root), { recursive: true });
  expect(names.filter((name) => name.endsWith('.incomplete') || name.endsWith('.tmp'))).toEqual([]);
}

describe('after a power cut at any moment', { timeout: 60_000 + STATES * 2000 }, () => {
  it.each(['link', 'shared', 'copy'] satisfies CacheForm[])(
    'of a healing in the form %s, only what was corrupt may still be, and the next healing mends it',
    async (form) => {
      const cache = await builtCache(form);
      const origin = await hubOrigin();
      const pointer = pointerTo(cache, OLD, 'unet/weights');
      await damage(pointer);
      await tryEveryState(
        cache,
        origin,
        (services) => healHubCache(services, [], options()),
        async (services, isAcknowledged) => {
          const corrupt = await corruptFiles(services);
          expect(corrupt.length === 0 || !isAcknowledged).toBe(true);
          expect(['', 'unet/weights']).toContain(corrupt.join());
          if (corrupt.length === 0) expect(await readFile(pointer)).toEqual(weights.bytes);
          expect(await readFile(pointerTo(cache, NEW, 'unet/weights'))).toEqual(later.bytes);
          await healHubCache(services, [], options());
          expect(await readFile(pointer)).toEqual(weights.bytes);
          expect(await corruptFiles(services)).toEqual([]);
          await expectNothingTemporary(cache, services);
        }
      );
    }
  );

  it('of a deletion, the other revision is whole, and the next deletion ends it', async () => {
    const cache = await builtCache('link');
    const reference = `hf:owner/repo@${OLD}`;
    await tryEveryState(
      cache,
      await hubOrigin(),
      (services) => dropFromHubCache(services, reference, { dryRun: false }),
      async (services) => {
        for (const [path, { bytes }] of Object.entries(NEW_FILES)) {
          expect(await readFile(pointerTo(cache, NEW, path))).toEqual(bytes);
        }
        const snapshot = join(cache.root, REPOSITORY, 'snapshots', OLD);
        const isThere = await lstat(snapshot).then(
          () => true,
          () => false
        );
        if (isThere) await dropFromHubCache(services, reference, { dryRun: false });
        await expect(lstat(snapshot)).rejects.toThrow('ENOENT');
        await expectNothingTemporary(cache, services);
        const contents = await readdir(join(cache.root, REPOSITORY, 'blobs'));
        expect(contents.toSorted()).toEqual(Object.values(NEW_FILES).map(etagOf).toSorted());
      }
    );
  });
});
