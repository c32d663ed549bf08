import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHasher } from '../../../server/platform/hasher';
import { ownerTag, ownIdentity, type ProcessIdentity } from '../../../server/platform/process-identity';
import { BundleStore } from '../../../server/store/bundle-store';
import { folderStamp } from '../../../server/store/bundle-swap';
import { CacheLayout } from '../../../server/store/cache-layout';
import { Proofs } from '../../../server/store/proofs';
import { recover } from '../../../server/store/recovery';
import { workerPool } from '../../support/built-worker';
import { leftovers, SAMPLE, sampleBundle, snapshot, versionIn, writeBlobs } from '../../support/sample-bundle';
import { temporaryFolder } from '../../support/temporary-folder';

const OLD = 2;
const NEW = 3;
const LATER = 4;
const ID = '0123456789abcdef';
const ENTRY = `${SAMPLE}.${ID}`;

let layout: CacheLayout;
let store: BundleStore;
let dead: ProcessIdentity;
let target: string;
let staging: string;
let aside: string;

beforeEach(async () => {
  layout = new CacheLayout(await temporaryFolder());
  store = new BundleStore(layout, createHasher(workerPool()), new Proofs(layout.proofs));
  dead = { ...(await ownIdentity()), startTime: '1' };
  target = layout.model(SAMPLE);
  staging = join(layout.staging, ENTRY);
  aside = join(layout.purge, ENTRY);
  for (const version of [OLD, NEW, LATER]) await writeBlobs(layout, version);
  for (const folder of [layout.staging, layout.purge, layout.operations]) await mkdir(folder, { recursive: true });
});

async function install(version: number): Promise<void> {
  const { contents, manifest } = sampleBundle(layout, version);
  await store.install(SAMPLE, contents, manifest);
}

/** Puts a complete bundle where an operation would have it. */
async function bundleAt(path: string, version: number): Promise<void> {
  const current = await versionIn(target);
  if (current !== undefined) await rename(target, `${target}.kept`);
  await install(version);
  await rename(target, path);
  if (current !== undefined) await rename(`${target}.kept`, target);
}

async function record(fields: Record<string, unknown> = {}): Promise<void> {
  const kind = fields['kind'] ?? 'install';
  const text = JSON.stringify({
    kind,
    name: SAMPLE,
    owner: dead,
    replaces: await folderStamp(target),
    purge: ENTRY,
    ...(kind === 'install' && { staging: ENTRY }),
    ...fields
  });
  await writeFile(join(layout.operations, `${ID}.json`), text);
}

/** Recovers until nothing is left to do, which the second time must find. */
async function expectRecovery(version: number | undefined): Promise<void> {
  await recover(layout);
  expect(await versionIn(target)).toBe(version);
  expect(await leftovers(layout)).toEqual([]);
  const before = await snapshot(layout.root);
  expect(await recover(layout)).toEqual([]);
  expect(await snapshot(layout.root)).toEqual(before);
}

describe('an installation that a dead process left', () => {
  it('is undone when only its record was written', async () => {
    await install(OLD);
    await record();
    await expectRecovery(OLD);
  });

  it('is undone when the staged bundle is empty', async () => {
    await install(OLD);
    await record();
    await mkdir(staging);
    await expectRecovery(OLD);
  });

  it('is undone when the staged bundle has no manifest yet', async () => {
    await install(OLD);
    await record();
    await bundleAt(staging, NEW);
    await rm(join(staging, 'manifest.json'));
    await expectRecovery(OLD);
  });

  it.each(['weights.gguf', 'vae.safetensors'])('is undone when the staged bundle lacks %s', async (file) => {
    await install(OLD);
    await record();
    await bundleAt(staging, NEW);
    await rm(join(staging, file));
    await expectRecovery(OLD);
  });

  it('is finished when the staged bundle is complete', async () => {
    await install(OLD);
    await record();
    await bundleAt(staging, NEW);
    await expectRecovery(NEW);
  });

  it('is finished when the old bundle was moved aside', async () => {
    await install(OLD);
    await record();
    await bundleAt(staging, NEW);
    await rename(target, aside);
    await expectRecovery(NEW);
  });

  it('gives the old bundle back when it was moved aside and the staged one is damaged', async () => {
    await install(OLD);
    await record();
    await bundleAt(staging, NEW);
    await rename(target, aside);
    await writeFile(join(staging, 'manifest.json'), '');
    await expectRecovery(OLD);
  });

  it('is cleaned up when the new bundle is in place', async () => {
    await bundleAt(aside, OLD);
    await record({ replaces: 'the old one' });
    await install(NEW);
    await expectRecovery(NEW);
  });

  it.each(['manifest.json', 'weights.gguf'])(
    'is cleaned up when %s of the old bundle is gone already',
    async (file) => {
      await bundleAt(aside, OLD);
      await rm(join(aside, file));
      await record({ replaces: 'the old one' });
      await install(NEW);
      await expectRecovery(NEW);
    }
  );

  it('does not bring the old bundle back when the new one was dropped later', async () => {
    await bundleAt(aside, OLD);
    await record({ replaces: 'the old one' });
    await expectRecovery(undefined);
  });

  it('does not replace a bundle that was installed later', async () => {
    await install(OLD);
    await record();
    await bundleAt(staging, NEW);
    await install(LATER);
    await expectRecovery(LATER);
  });

  it('does not replace a bundle that was installed after the old one was moved aside', async () => {
    await install(OLD);
    await record();
    await bundleAt(staging, NEW);
    await rename(target, aside);
    await install(LATER);
    await expectRecovery(LATER);
  });

  it('does not come back when the model was dropped later', async () => {
    await install(OLD);
    await record();
    await bundleAt(staging, NEW);
    await store.drop(SAMPLE);
    await expectRecovery(undefined);
  });
});

describe('a drop that a dead process left', () => {
  it('is finished when only its record was written', async () => {
    await install(OLD);
    await record({ kind: 'drop' });
    await expectRecovery(undefined);
  });

  it('is finished when the bundle was moved aside', async () => {
    await install(OLD);
    await record({ kind: 'drop' });
    await rename(target, aside);
    await expectRecovery(undefined);
  });

  it('is finished when a part of the bundle is gone', async () => {
    await bundleAt(aside, OLD);
    await rm(join(aside, 'manifest.json'));
    await record({ kind: 'drop', replaces: 'the old one' });
    await expectRecovery(undefined);
  });

  it('does not take a bundle that was installed later', async () => {
    await install(OLD);
    await record({ kind: 'drop' });
    await install(LATER);
    await expectRecovery(LATER);
  });
});

describe('recovery leaves alone', () => {
  const owners: [string, () => Promise<ProcessIdentity>][] = [
    ['a living process', ownIdentity],
    ['another host', async () => ({ ...dead, host: 'elsewhere' })]
  ];

  it.each(owners)('the installation of %s', async (_, owner) => {
    await install(OLD);
    await record({ owner: await owner() });
    await bundleAt(staging, NEW);
    await rename(target, aside);
    const before = await snapshot(layout.root);
    expect(await recover(layout)).toEqual([]);
    expect(await snapshot(layout.root)).toEqual(before);
  });

  it.each(owners)('what %s is recovering', async (_, owner) => {
    await bundleAt(staging, NEW);
    await record();
    const taken = `${ID}.${ownerTag(await owner(), ID)}.json`;
    await rename(join(layout.operations, `${ID}.json`), join(layout.operations, taken));
    expect(await recover(layout)).toEqual([]);
    expect(await leftovers(layout)).toEqual([ENTRY, taken]);
  });

  it('the temporary files of a living writer', async () => {
    const name = `.${ownerTag(await ownIdentity(), ID)}.tmp`;
    await writeFile(join(layout.operations, name), '{');
    await recover(layout);
    expect(await readdir(layout.operations)).toEqual([name]);
  });
});

describe('recovery of a record', () => {
  it('that cannot be read gives the only bundle of a model back', async () => {
    await bundleAt(aside, OLD);
    await writeFile(join(layout.operations, `${ID}.json`), '{"kind":"inst');
    await expectRecovery(OLD);
  });

  it('that cannot be read removes what was staged', async () => {
    await install(OLD);
    await bundleAt(staging, NEW);
    await writeFile(join(layout.operations, `${ID}.json`), '');
    await expectRecovery(OLD);
  });

  it('that is missing removes what is left of the operation', async () => {
    await install(OLD);
    await bundleAt(staging, NEW);
    await bundleAt(aside, LATER);
    await expectRecovery(OLD);
  });

  it.each([
    ['staging', '..'],
    ['staging', '.'],
    ['staging', ''],
    ['staging', '../models'],
    ['staging', '/etc'],
    ['purge', '..'],
    ['purge', '.'],
    ['purge', '../models/sample-model'],
    ['name', '../sample-model'],
    ['name', '..'],
    ['name', ''],
    ['name', 'C:x']
  ])('with the %s “%s” harms nothing', async (field, value) => {
    await install(OLD);
    await writeFile(join(layout.root, 'witness'), 'unharmed');
    await record({ [field]: value });
    await expectRecovery(OLD);
    expect(await readFile(join(layout.root, 'witness'), 'utf8')).toBe('unharmed');
    expect(await readdir(layout.root)).toContain('blobs');
  });

  it('that is a link to nothing is forgotten, and holds up nobody', async () => {
    await install(OLD);
    await symlink(join(layout.root, 'nowhere'), join(layout.operations, `${ID}.json`));
    expect(await recover(layout)).toEqual(['Forgot a record that cannot be read.']);
    expect(await readdir(layout.operations)).toEqual([]);
    expect(await versionIn(target)).toBe(OLD);
  });

  it('that cannot be settled is kept for the next start and keeps nothing else from being settled', async () => {
    const other = 'fedcba9876543210';
    await install(OLD);
    await record();
    await rename(join(layout.operations, `${ID}.json`), join(layout.operations, `${other}.json`));
    await bundleAt(staging, NEW);
    // A file where the folder of purged bundles should be: nothing can be moved aside.
    await rm(layout.purge, { recursive: true });
    await writeFile(layout.purge, '');
    await writeFile(join(layout.operations, `${ID}.json`), 'torn');
    expect(await recover(layout)).toContainEqual(
      expect.stringMatching(/^An interrupted operation cannot be settled: /)
    );
    expect(await versionIn(target)).toBe(OLD);
    expect(await readdir(layout.operations)).toEqual([`${other}.json`]);
    await rm(layout.purge);
    await expectRecovery(NEW);
  });
});

it('removes the temporary files and claims of dead processes', async () => {
  const temporary = `.${ownerTag(dead, ID)}.tmp`;
  for (const folder of [layout.operations, layout.registry, layout.partials]) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, temporary), '{');
  }
  const claim = join(layout.partials, 'content.claim');
  await writeFile(claim, JSON.stringify({ owner: dead, nonce: 'a1' }));
  await writeFile(`${claim}.a0.tomb`, JSON.stringify({ owner: dead, nonce: 'a2' }));
  expect(await recover(layout)).toEqual([]);
  expect(await leftovers(layout)).toEqual([]);
  expect(await readdir(layout.registry)).toEqual([]);
});

it('does nothing where there is no cache yet', async () => {
  const root = join(layout.root, 'not-there');
  expect(await recover(new CacheLayout(root))).toEqual([]);
  await expect(readdir(root)).rejects.toThrow('ENOENT');
});
