import { mkdir } from 'node:fs/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { freeSpace } from '../../server/operations/clean-up/free-space';
import { dropModel } from '../../server/operations/models/drop-model';
import { findModel } from '../../server/operations/models/known-models';
import { listModels } from '../../server/operations/models/list-models';
import { modelFromManifest, register } from '../../server/operations/models/register-model';
import { pullModel } from '../../server/operations/pull/pull-model';
import { healModel } from '../../server/operations/verify-and-heal/heal-model';
import { rememberVerdicts, verifyModel } from '../../server/operations/verify-and-heal/verify-model';
import { entriesOf } from '../../server/platform/folder-entries';
import { collectPartials } from '../../server/pull/partial/stale-partials';
import { crashStates, telling } from '../support/crash/crash-states';
import { describeDisk, diskIn, putOnDisk } from '../support/crash/disk';
import { recordDisk } from '../support/crash/disk-recorder';
import { withoutHardLinks } from '../support/crash/file-tap';
import { bootAnew } from '../support/crash/next-boot';
import { stuckAtCall } from '../support/crash/stuck-at-call';
import { cacheTree } from '../support/faults/cache-state';
import { memoryFolder } from '../support/memory-folder';
import { Random } from '../support/random';
import { leftovers } from '../support/sample-bundle';
import { CacheUnderTest, overwrite } from '../support/store-model/cache-under-test';
import { observe } from '../support/store-model/observe';
import {
  CONTENTS,
  DIGESTS,
  describeBundle,
  describeWorld,
  NAMES,
  type Name,
  statusesOf,
  type World
} from '../support/store-model/world';

vi.mock(import('../../server/platform/process-identity'), async (importOriginal) => {
  const { identitiesAfterBoot } = await import('../support/crash/next-boot');
  return identitiesAfterBoot(await importOriginal());
});

const options = () => ({ signal: new AbortController().signal, onEvent: () => undefined, onProgress: () => undefined });

const pull = async (cache: CacheUnderTest, name: Name, version: number) =>
  pullModel(cache.services, await modelFromManifest(cache.manifest(name, version)), options());

const drop = async (cache: CacheUnderTest, name: Name, forget = false) =>
  dropModel(cache.services, await findModel(cache.services, name), { forget });

const verify = async ({ services }: CacheUnderTest, name: Name) =>
  verifyModel(services, await findModel(services, name), { ...options(), depth: 'deep' });

interface Scenario {
  readonly title: string;
  readonly prepare: (cache: CacheUnderTest) => Promise<unknown>;
  readonly act: (cache: CacheUnderTest) => Promise<unknown>;
}

const pullTwo = async (cache: CacheUnderTest) => {
  await pull(cache, 'alpha', 0);
  await pull(cache, 'gamma', 0);
};

/** Of a content that both models have. */
const SHARED = 1;

const SCENARIOS: readonly Scenario[] = [
  {
    title: 'the very first model is pulled',
    prepare: ({ layout }) => mkdir(layout.root),
    act: (cache) => pull(cache, 'alpha', 0)
  },
  {
    title: 'a model is pulled beside another',
    prepare: (cache) => pull(cache, 'gamma', 0),
    act: (cache) => pull(cache, 'alpha', 0)
  },
  { title: 'another version is pulled over a model', prepare: pullTwo, act: (cache) => pull(cache, 'alpha', 1) },
  { title: 'a model is dropped', prepare: pullTwo, act: (cache) => drop(cache, 'alpha') },
  { title: 'a model is forgotten', prepare: pullTwo, act: (cache) => drop(cache, 'alpha', true) },
  {
    title: 'a model is healed, and with it another that shares what was damaged',
    prepare: async (cache) => {
      await pullTwo(cache);
      const length = CONTENTS[SHARED]?.length ?? 0;
      await overwrite(cache.layout.blob(DIGESTS[SHARED]!), Buffer.alloc(length, 0xee));
      // Else nobody notices that another model is damaged, too.
      await verify(cache, 'gamma');
    },
    act: async (cache) => healModel(cache.services, await findModel(cache.services, 'alpha'), options())
  },
  {
    title: 'space is freed',
    prepare: async (cache) => {
      await pullTwo(cache);
      await drop(cache, 'gamma');
    },
    act: ({ services }) => freeSpace(services, false)
  },
  {
    title: 'all is verified',
    prepare: pullTwo,
    act: async (cache) => {
      const reports = [await verify(cache, 'alpha'), await verify(cache, 'gamma')];
      await rememberVerdicts(cache.services, reports);
    }
  },
  {
    title: 'the registry is edited again and again',
    prepare: async (cache) => {
      await pullTwo(cache);
      await registerBeta(cache, 0);
    },
    act: async (cache) => {
      for (let edit = 1; edit < 20; edit += 1) await registerBeta(cache, edit % 2);
    }
  },
  {
    title: 'the next start finishes what an earlier crash left',
    prepare: async (cache) => {
      await pullTwo(cache);
      await crashBetweenRenames(cache);
    },
    act: (cache) => cache.reopen()
  }
];

const registerBeta = async (cache: CacheUnderTest, version: number) =>
  register(cache.services, await modelFromManifest(cache.manifest('beta', version)));

/** Leaves a model that is neither here nor there: the old bundle is aside, and the new one is not in its place yet. */
async function crashBetweenRenames(cache: CacheUnderTest): Promise<void> {
  const start = diskIn(cache.layout.root);
  for (let call = 20; ; call += 1) {
    expect(await stuckAtCall(call, () => pull(cache, 'alpha', 1))).toBe('crashed');
    bootAnew();
    if ((await observe(cache.layout)).bundles.get('alpha') === undefined) return;
    putOnDisk(start, cache.layout.root);
    await cache.reopen();
  }
}

/** So many states of each scenario are tried; DIFFUSION_DOCK_TEST_STATES asks for more. */
const STATES = Number(process.env['DIFFUSION_DOCK_TEST_STATES'] ?? 12);

describe('after a power cut at any moment', { timeout: 60_000 + STATES * 2000 }, () => {
  it.each(SCENARIOS)('while $title, all is old or new, and goes on', tryEveryState);

  // There, a bundle may hold the only copy of its contents.
  it.each(SCENARIOS.filter(({ title }) => /version|dropped/.test(title)))(
    'while $title, on a volume without hard links, all is old or new, and goes on',
    (scenario) => withoutHardLinks(() => tryEveryState(scenario))
  );
});

async function tryEveryState({ prepare, act }: Scenario): Promise<void> {
  const cache = await CacheUnderTest.create(await memoryFolder(), bootAnew);
  onTestFinished(() => cache.close());
  await prepare(cache);
  const before = await observe(cache.layout);
  const recording = await recordDisk(cache.layout.root, () => act(cache));
  const after = await observe(cache.layout);
  const end = await goOn(cache);
  const goneOnFrom = new Set<string>();
  for (const state of crashStates(recording, { most: STATES, random: new Random(1) })) {
    await telling(state, async () => {
      putOnDisk(state.disk, cache.layout.root);
      await cache.reopen();
      const found = await observe(cache.layout);
      expectOldOrNew(found, before, after);
      if (state.moment === recording.steps.length) expectAcknowledged(found, after);
      expect(await leftBehind(cache)).toEqual([]);
      // What many states were made into is tried once.
      const recovered = whatLies(cache, found);
      if (goneOnFrom.has(recovered)) return;
      goneOnFrom.add(recovered);
      await expectHonest(cache, found);
      expect(await goOn(cache)).toEqual(end);
    });
  }
}

/** Every model is as it was or as it was to be; contents and other models are whole. */
function expectOldOrNew(found: World, before: World, after: World): void {
  for (const name of NAMES) {
    const worlds = [before, after];
    expect(worlds.map(({ bundles }) => describeBundle(bundles.get(name)))).toContain(
      describeBundle(found.bundles.get(name))
    );
    expect(worlds.map(({ entries }) => entries.get(name)?.version)).toContain(found.entries.get(name)?.version);
    expect(found.entries.get(name)?.stamped ?? false, `${name} in the registry`).toBe(found.bundles.has(name));
  }
  for (const [content, { health }] of found.blobs) {
    if (health !== 'sound') expect(before.blobs.get(content)?.health, `blob ${content}`).toBe(health);
  }
  for (const [content, { health }] of after.blobs) {
    if (health === 'sound' && before.blobs.get(content)?.health === 'sound')
      expect(found.blobs.get(content)?.health, `blob ${content}`).toBe(health);
  }
}

function expectAcknowledged(found: World, after: World): void {
  expect(acknowledgedIn(found)).toEqual(acknowledgedIn(after));
  expect([...found.blobs.keys()]).toEqual(expect.arrayContaining([...after.blobs.keys()]));
}

const acknowledgedIn = ({ bundles, entries }: World) =>
  NAMES.map((name) => [name, describeBundle(bundles.get(name)), entries.get(name)]);

/** What recovery is to have settled. Partials may be gone on with, and dead collections' contents are put back. */
async function leftBehind({ layout }: CacheUnderTest): Promise<string[]> {
  const partials = await entriesOf(layout.partials);
  const left = [...(await leftovers(layout)), ...(await entriesOf(layout.garbage))];
  const temporary = (await entriesOf(layout.registry)).filter((entry) => entry.endsWith('.tmp'));
  return [...left.filter((entry) => !partials.includes(entry)), ...temporary];
}

/** What makes a difference to whoever goes on: names of registry generations do not. */
function whatLies({ layout }: CacheUnderTest, { entries }: World): string {
  const lines = describeDisk(diskIn(layout.root)).filter((line) => !line.startsWith('/registry/'));
  return [...lines, JSON.stringify([...entries])].join('\n');
}

/** What lists and verifications say is what lies there. */
async function expectHonest(cache: CacheUnderTest, found: World): Promise<void> {
  const { services } = cache;
  for (const { name, status } of await listModels(services)) {
    expect(statusesOf(found, name as Name), name).toContain(status);
  }
  for (const [name, bundle] of found.bundles) {
    if (!found.entries.has(name)) continue;
    const { healthy } = await verify(cache, name);
    expect(healthy, name).toBe([...bundle.files.values()].every((cell) => cell?.health === 'sound'));
  }
}

const DAY_MS = 24 * 3600 * 1000;

/** What a user does a month later, whatever happened before. @returns what lies there afterwards */
async function goOn(cache: CacheUnderTest) {
  const { services, layout } = cache;
  await collectPartials(layout.partials, { now: Date.now() + 30 * DAY_MS, keptMs: 14 * DAY_MS });
  for (const { name } of (await listModels(services)).filter(({ status }) => status === 'unhealthy')) {
    await healModel(services, await findModel(services, name), options());
  }
  await pull(cache, 'alpha', 1);
  expect(await verify(cache, 'alpha')).toMatchObject({ healthy: true });
  await registerBeta(cache, 1);
  await freeSpace(services, false);
  const tree = await cacheTree(layout.root);
  // A folder for blobs is no blob.
  return {
    world: describeWorld(await observe(layout)),
    tree: tree.filter((path) => !/^blobs\/sha256\/..$/.test(path))
  };
}
