import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHasher } from '../../../server/platform/hasher';
import { assessBundleFolder } from '../../../server/store/bundle-state';
import { BundleStore } from '../../../server/store/bundle-store';
import { CacheLayout } from '../../../server/store/cache-layout';
import { Proofs } from '../../../server/store/proofs';
import { recover } from '../../../server/store/recovery';
import { workerPool } from '../../support/built-worker';
import { memoryFolder } from '../../support/memory-folder';
import { Random } from '../../support/random';
import { leftovers, RENAMED_SAMPLE, SAMPLE, sampleBundle, versionIn, writeBlobs } from '../../support/sample-bundle';
import { bundleScript, ScriptProcess } from '../../support/script-process';

const OLD = 2;
const NEW = 3;
const VERSIONS = [0, 1, OLD, NEW, 4];

/** How many processes die side by side. */
const LANES = 3;

// Dozens of processes are started one after another, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let scripts: string;
let script: string;
let layout: CacheLayout;

beforeAll(async () => {
  scripts = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  script = await bundleScript('crash/store-script.ts', scripts);
  return () => rm(scripts, { recursive: true });
});

beforeEach(async () => {
  layout = await freshCache();
});

async function freshCache(): Promise<CacheLayout> {
  const cache = new CacheLayout(await memoryFolder());
  for (const version of VERSIONS) await writeBlobs(cache, version);
  return cache;
}

async function installOld(cache: CacheLayout): Promise<void> {
  const { contents, manifest } = sampleBundle(cache, OLD);
  await new BundleStore(cache, createHasher(workerPool()), new Proofs(cache.proofs)).install(
    SAMPLE,
    contents,
    manifest
  );
}

const installed = (cache: CacheLayout) => versionIn(cache.model(SAMPLE));

/** Runs the script in a cache, to be killed just before its n-th call that changes the disk; 0: never. */
function run(cache: CacheLayout, action: string, { version = NEW, die = 0 } = {}): ScriptProcess {
  return new ScriptProcess(script, [action, '--root', cache.root, '--version', `${version}`, '--die', `${die}`]);
}

/** Has the script die at its first call, in another cache at its second, and so on until it survives. */
async function dieAtEveryCall(
  action: string,
  prepare: (cache: CacheLayout) => Promise<void>
): Promise<{ kills: number; versions: Set<number | undefined> }> {
  const versions = new Set<number | undefined>();
  let kills = 0;
  let call = 0;
  let isAlive = false;
  const lane = async (): Promise<void> => {
    while (!isAlive) {
      call += 1;
      const die = call;
      const cache = await freshCache();
      await prepare(cache);
      const { code, signal } = await run(cache, action, { die }).ended;
      await recoverFully(cache);
      versions.add(await installed(cache));
      if (signal === 'SIGKILL') {
        kills += 1;
        continue;
      }
      expect(code).toBe(0);
      isAlive = true;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { kills, versions };
}

/** Under which names the old version lies there, whole, and says so itself. */
async function namesOf(cache: CacheLayout): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of [SAMPLE, RENAMED_SAMPLE]) {
    const bundle = await assessBundleFolder(cache.model(name));
    if (bundle.kind === 'absent') continue;
    const isWhole = bundle.kind === 'present' && bundle.problems.length === 0 && bundle.manifest.revision === `${OLD}`;
    found.push(isWhole ? bundle.manifest.name : `a part of ${name}`);
  }
  return found;
}

/** Recovers, and checks that there is nothing left to do. */
async function recoverFully(cache: CacheLayout): Promise<void> {
  await recover(cache);
  expect(await leftovers(cache)).toEqual([]);
  expect(await recover(cache)).toEqual([]);
}

/** @returns how many installations were acknowledged */
async function killTwentyTimes(seed: number): Promise<number> {
  const cache = await freshCache();
  const random = new Random(seed);
  let version = 0;
  for (let kill = 0; kill < 20; kill += 1) {
    const child = run(cache, 'forever', { version });
    await child.untilLines(1 + random.below(3));
    for (let turns = random.below(40); turns > 0; turns -= 1) await new Promise((done) => setImmediate(done));
    await child.kill();
    const acknowledged = version + child.lines.length - 1;
    await recoverFully(cache);
    expect([acknowledged % VERSIONS.length, (acknowledged + 1) % VERSIONS.length]).toContain(await installed(cache));
    version = acknowledged + 1;
  }
  return version;
}

describe('a process that dies at any call that changes the disk', () => {
  it('leaves the old bundle or the new one when it installs over another', async () => {
    const { kills, versions } = await dieAtEveryCall('install', installOld);
    expect(versions).toEqual(new Set([OLD, NEW]));
    expect(kills).toBeGreaterThan(15);
  });

  it('leaves no bundle or the new one when it installs for the first time', async () => {
    const { kills, versions } = await dieAtEveryCall('install', async () => undefined);
    expect(versions).toEqual(new Set([undefined, NEW]));
    expect(kills).toBeGreaterThan(10);
  });

  it('leaves the bundle or none when it drops one', async () => {
    const { kills, versions } = await dieAtEveryCall('drop', installOld);
    expect(versions).toEqual(new Set([OLD, undefined]));
    expect(kills).toBeGreaterThan(5);
  });

  it('leaves the whole bundle under its old name or under the new one when it renames one', async () => {
    const names = new Set<string>();
    let kills = 0;
    for (let die = 1; ; die += 1) {
      const cache = await freshCache();
      await installOld(cache);
      const { signal } = await run(cache, 'rename', { die }).ended;
      await recoverFully(cache);
      const found = await namesOf(cache);
      expect(found).toHaveLength(1);
      names.add(found.join());
      if (signal === null) break;
      kills += 1;
    }
    expect(names).toEqual(new Set([SAMPLE, RENAMED_SAMPLE]));
    expect(kills).toBeGreaterThan(5);
  });

  it('leaves the new bundle when it recovers from a death between the two renames', async () => {
    let between = 0;
    for (let die = 8; between === 0; die += 1) {
      const cache = await freshCache();
      await installOld(cache);
      expect((await run(cache, 'install', { die }).ended).signal).toBe('SIGKILL');
      if ((await installed(cache)) === undefined) between = die;
    }
    const { kills, versions } = await dieAtEveryCall('recover', async (cache) => {
      await installOld(cache);
      await run(cache, 'install', { die: between }).ended;
      expect(await readdir(cache.staging)).toHaveLength(1);
      expect(await readdir(cache.purge)).toHaveLength(1);
    });
    expect(versions).toEqual(new Set([NEW]));
    expect(kills).toBeGreaterThan(3);
  });
});

describe('a process killed at any moment', () => {
  it('keeps what it acknowledged or is one step further, sixty times', async () => {
    const installations = await Promise.all([1, 2, 3].map(killTwentyTimes));
    expect(Math.min(...installations)).toBeGreaterThanOrEqual(20);
  });
});

describe('several processes', () => {
  it('settle a dead one’s installation together without harm', async () => {
    for (let die = 5; ; die += 3) {
      await installOld(layout);
      const { signal } = await run(layout, 'install', { die }).ended;
      await Promise.all([recover(layout), recover(layout), recover(layout), recover(layout)]);
      expect([OLD, NEW]).toContain(await installed(layout));
      await recoverFully(layout);
      expect([OLD, NEW]).toContain(await installed(layout));
      if (signal === null) break;
    }
  });

  it('install the same model at the same time, and one of the versions is there', async () => {
    const children = VERSIONS.map((version) => run(layout, 'install', { version }));
    const ends = await Promise.all(children.map(({ ended }) => ended));
    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(VERSIONS).toContain(await installed(layout));
    expect(await leftovers(layout)).toEqual([]);
  });

  it('install and drop the same model at the same time without an error', async () => {
    for (let round = 0; round < 5; round += 1) {
      await installOld(layout);
      const children = ['install', 'drop', 'install'].map((action) => run(layout, action));
      const ends = await Promise.all(children.map(({ ended }) => ended));
      expect(ends.map(({ code }) => code)).toEqual([0, 0, 0]);
      expect([undefined, NEW]).toContain(await installed(layout));
      expect(await leftovers(layout)).toEqual([]);
    }
  });
});
