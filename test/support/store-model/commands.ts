import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { freeSpace } from '../../../server/operations/clean-up/free-space';
import { dropModel } from '../../../server/operations/models/drop-model';
import { findModel } from '../../../server/operations/models/known-models';
import { listModels } from '../../../server/operations/models/list-models';
import { modelFromManifest, register as registerModel } from '../../../server/operations/models/register-model';
import { pullModel } from '../../../server/operations/pull/pull-model';
import { healModel } from '../../../server/operations/verify-and-heal/heal-model';
import { rememberVerdicts, verifyModel } from '../../../server/operations/verify-and-heal/verify-model';
import { Failure } from '../../../shared/failure';
import { stuckAtCall } from '../crash/stuck-at-call';
import { leftovers, snapshot } from '../sample-bundle';
import { type CacheUnderTest, overwrite, replace } from './cache-under-test';
import { observe } from './observe';
import { collect, drop, heal, install, register, verifyDeeply } from './transitions';
import {
  type Bundle,
  type Cell,
  CONTENTS,
  cloneOf,
  DIGESTS,
  describeBundle,
  describeWorld,
  filesOf,
  NAMES,
  type Name,
  statusesOf,
  type World
} from './world';

/** What is expected of the cache. */
export interface Expected {
  world: World;
}

type Command = fc.AsyncCommand<Expected, CacheUnderTest>;

const options = () => ({ signal: new AbortController().signal, onEvent: () => undefined, onProgress: () => undefined });

/** Something a user does: what it is to do with the world, and how it is done. */
interface Deed {
  readonly text: string;
  readonly applies: (world: World) => boolean;
  /** @returns the code of the failure it is to end with, or `done` */
  readonly expect: (world: World) => string;
  readonly act: (cache: CacheUnderTest) => Promise<unknown>;
}

const done = (change: (world: World) => void) => (world: World) => {
  change(world);
  return 'done';
};

const isRegistered = (name: Name) => (world: World) => world.entries.has(name);

const installing = (name: Name, version: number): Deed => ({
  text: `install ${name} ${version}`,
  applies: () => true,
  expect: done((world) => install(world, name, version)),
  act: async (cache) => pullModel(cache.services, await modelFromManifest(cache.manifest(name, version)), options())
});

const dropping = (name: Name, forget: boolean): Deed => ({
  text: `${forget ? 'forget' : 'drop'} ${name}`,
  applies: isRegistered(name),
  expect: done((world) => drop(world, name, forget)),
  act: async ({ services }) => dropModel(services, await findModel(services, name), { forget })
});

const healing = (name: Name): Deed => ({
  text: `heal ${name}`,
  applies: isRegistered(name),
  expect: (world) => heal(world, name),
  act: async ({ services }) => healModel(services, await findModel(services, name), options())
});

const collecting: Deed = {
  text: 'collect',
  applies: () => true,
  expect: done(collect),
  act: ({ services }) => freeSpace(services, false)
};

const registering = (name: Name, version: number): Deed => ({
  text: `register ${name} ${version}`,
  applies: () => true,
  expect: done((world) => register(world, name, version)),
  act: async (cache) => registerModel(cache.services, await modelFromManifest(cache.manifest(name, version)))
});

const reopening: Deed = { text: 'reopen', applies: () => true, expect: () => 'done', act: (cache) => cache.reopen() };

/** The command that does a deed, and then finds everything as expected. */
function plain({ text, applies, expect: apply, act }: Deed): Command {
  return {
    check: ({ world }) => applies(world),
    async run(expected, cache) {
      const end = apply(expected.world);
      expect(await endOf(act(cache))).toBe(end);
      await expectAsExpected(expected, cache);
    },
    toString: () => text
  };
}

/** The command that does a deed, and dies at the n-th call that changes the disk; the next process begins. */
function dying({ text, applies, expect: apply, act }: Deed, call: number): Command {
  return {
    check: ({ world }) => applies(world),
    async run(expected, cache) {
      const before = cloneOf(expected.world);
      const end = apply(expected.world);
      const result = await endOf(stuckAtCall(call, () => act(cache)));
      await cache.reopen();
      if (result !== 'crashed') expect(result).toBe(end);
      else expected.world = await expectOldOrNew(before, expected.world, cache);
      await expectAsExpected(expected, cache);
    },
    toString: () => `${text}, dying at call ${call}`
  };
}

const EXPECTED_FAILURES: ReadonlySet<string> = new Set(['not-installed', 'unhealthy-model', 'outdated-model']);

async function endOf(deed: Promise<unknown>): Promise<string> {
  try {
    return (await deed) === 'crashed' ? 'crashed' : 'done';
  } catch (error) {
    if (error instanceof Failure && EXPECTED_FAILURES.has(error.code)) return error.code;
    throw error;
  }
}

/** @returns what the crash left, with nothing left open */
async function expectOldOrNew(before: World, after: World, cache: CacheUnderTest): Promise<World> {
  const found = await observe(cache.layout);
  expect(await leftovers(cache.layout).then((all) => all.filter((entry) => !entry.includes('~')))).toEqual([]);
  for (const name of NAMES) {
    const versions = [before, after].map(({ bundles }) => describeBundle(bundles.get(name)));
    expect(versions, name).toContain(describeBundle(found.bundles.get(name)));
    const entries = [before, after].map((world) => world.entries.get(name)?.version);
    expect(entries, `${name} in the registry`).toContain(found.entries.get(name)?.version);
  }
  for (const [content, { health }] of found.blobs) {
    if (health !== 'sound') expect(before.blobs.get(content)?.health, `blob ${content}`).toBe(health);
  }
  for (const [content, { health }] of after.blobs) {
    if (health === 'sound' && before.blobs.get(content)?.health === 'sound')
      expect(found.blobs.get(content)?.health, `blob ${content}`).toBe(health);
  }
  for (const name of found.bundles.keys()) {
    if (!found.entries.has(name)) continue;
    await verdictsOf(cache, name, 'deep');
    verifyDeeply(found, name);
  }
  return found;
}

/** What the disk holds, and what a list shows of it. */
async function expectAsExpected({ world }: Expected, cache: CacheUnderTest): Promise<void> {
  expect(describeWorld(await observe(cache.layout))).toEqual(describeWorld(world));
  const listed = await listModels(cache.services);
  expect(listed.map(({ name }) => name)).toEqual(NAMES.filter((name) => world.entries.has(name)));
  for (const { name, status } of listed) expect(statusesOf(world, name as Name), name).toContain(status);
  for (const [name, { version, files }] of world.bundles) {
    if (version !== undefined) expect(await verdictsOf(cache, name, 'quick'), name).toEqual(quickVerdicts(files));
  }
}

async function verdictsOf({ services }: CacheUnderTest, name: Name, depth: 'quick' | 'deep') {
  const { files } = await verifyModel(services, await findModel(services, name), { ...options(), depth });
  return new Map(files.map(({ path, verdict }) => [path, verdict]));
}

/** Verifies, and finds the disk untouched. */
function verifying(name: Name, depth: 'quick' | 'deep', force: boolean): Command {
  return {
    check: ({ world }) => world.entries.has(name),
    async run({ world }, { services, layout }) {
      const trees = () => Promise.all([layout.models, layout.blobs].map((folder) => snapshot(folder).catch(() => [])));
      const before = await trees();
      const bundle = world.bundles.get(name);
      const verification = verifyModel(services, await findModel(services, name), { ...options(), depth, force });
      if (!bundle && !world.entries.get(name)!.stamped) {
        await expect(verification).rejects.toMatchObject({ code: 'not-installed' });
        return;
      }
      const report = await verification;
      await rememberVerdicts(services, [report]);
      const verdicts = new Map(report.files.map(({ path, verdict }) => [path, verdict]));
      if (depth === 'deep') expect(verdicts).toEqual(new Map(verifyDeeply(world, name) ?? []));
      else if (bundle?.version !== undefined) expect(verdicts).toEqual(quickVerdicts(bundle.files));
      const isHealthy =
        bundle?.version !== undefined && !bundle.hasStray && ![...verdicts.values()].includes('corrupt');
      expect(report.healthy).toBe(isHealthy);
      expect(await trees()).toEqual(before);
    },
    toString: () => `verify ${name} ${depth}${force ? ' by force' : ''}`
  };
}

function quickVerdicts(files: Bundle['files']) {
  return new Map([...files].map(([path, cell]) => [path, quickVerdict(cell)]));
}

function quickVerdict(cell: Cell | undefined) {
  if (!cell || cell.health === 'cut') return 'corrupt';
  if (cell.known !== true) return 'unverifiable';
  return cell.health === 'sound' ? 'verified' : 'corrupt';
}

const HARMS = ['flip', 'cut', 'replace', 'remove', 'stray', 'manifest', 'folder'] as const;

/** Does something to an installed model behind the product's back. */
function harming(name: Name, harm: (typeof HARMS)[number], pick: number): Command {
  return {
    check: ({ world }) => world.bundles.get(name)?.version !== undefined,
    async run(expected, cache) {
      const bundle = expected.world.bundles.get(name)!;
      const folder = join(cache.layout.models, name);
      const [file, content] = [...filesOf(name, bundle.version!)][pick % bundle.files.size]!;
      const path = join(folder, file);
      const cell = bundle.files.get(file);
      const flipped = Buffer.alloc(CONTENTS[content]!.length, 0xee);
      switch (harm) {
        case 'flip':
        case 'cut': {
          if (!cell) return;
          await overwrite(path, harm === 'flip' ? flipped : flipped.subarray(1));
          Object.assign(cell, { health: harm === 'flip' ? 'flipped' : 'cut', known: false });
          break;
        }
        case 'replace':
          forgetReadingOf(cell);
          await replace(path, flipped);
          bundle.files.set(file, { health: 'flipped', known: false });
          break;
        case 'remove':
          forgetReadingOf(cell);
          await rm(path, { force: true });
          bundle.files.set(file, undefined);
          break;
        case 'stray':
          await writeFile(join(folder, 'stray.txt'), 'not of the model');
          bundle.hasStray = true;
          break;
        case 'manifest':
          await replace(join(folder, 'manifest.json'), Buffer.from('{'));
          bundle.version = undefined;
          break;
        case 'folder':
          for (const each of bundle.files.values()) forgetReadingOf(each);
          await rm(folder, { recursive: true });
          expected.world.bundles.delete(name);
      }
      await expectAsExpected(expected, cache);
    },
    toString: () => `${harm} ${name} ${pick}`
  };
}

/** A file that loses a name behind the product's back is in another state than when it was read. */
function forgetReadingOf(cell: Cell | undefined): void {
  if (cell) cell.known = false;
}

/** Damages a blob in place, and with it every bundle's link to it. */
function harmingBlob(content: number, health: 'flipped' | 'cut'): Command {
  return {
    check: ({ world }) => world.blobs.has(content),
    async run(expected, cache) {
      const bytes = Buffer.alloc(CONTENTS[content]!.length, 0xee);
      await overwrite(cache.layout.blob(DIGESTS[content]!), health === 'flipped' ? bytes : bytes.subarray(1));
      Object.assign(expected.world.blobs.get(content)!, { health, known: false });
      await expectAsExpected(expected, cache);
    },
    toString: () => `damage blob ${content}: ${health}`
  };
}

const anyName = fc.constantFrom(...NAMES);
const anyVersion = fc.constantFrom(0, 1);
const anyDeed: fc.Arbitrary<Deed> = fc.oneof(
  { arbitrary: fc.tuple(anyName, anyVersion).map(([name, version]) => installing(name, version)), weight: 4 },
  { arbitrary: fc.tuple(anyName, fc.boolean()).map(([name, forget]) => dropping(name, forget)), weight: 2 },
  { arbitrary: anyName.map(healing), weight: 3 },
  { arbitrary: fc.constant(collecting), weight: 2 }
);

/** Everything that can happen to a cache. */
export const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: anyDeed.map(plain), weight: 9 },
  { arbitrary: fc.tuple(anyDeed, fc.integer({ min: 1, max: 60 })).map(([deed, call]) => dying(deed, call)), weight: 5 },
  { arbitrary: fc.tuple(anyName, anyVersion).map(([name, version]) => plain(registering(name, version))), weight: 1 },
  { arbitrary: fc.constant(plain(reopening)), weight: 1 },
  {
    arbitrary: fc
      .tuple(anyName, fc.constantFrom('quick' as const, 'deep' as const, 'deep' as const), fc.boolean())
      .map(([name, depth, force]) => verifying(name, depth, force)),
    weight: 4
  },
  {
    arbitrary: fc.tuple(anyName, fc.constantFrom(...HARMS), fc.nat(2)).map((harm) => harming(...harm)),
    weight: 6
  },
  {
    arbitrary: fc
      .tuple(fc.nat(CONTENTS.length - 1), fc.constantFrom('flipped' as const, 'cut' as const))
      .map((harm) => harmingBlob(...harm)),
    weight: 1
  }
);
