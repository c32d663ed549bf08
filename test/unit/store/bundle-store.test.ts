import { link, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createHasher } from '../../../server/platform/hasher';
import { BundleStore } from '../../../server/store/bundle-store';
import { folderStamp, promote } from '../../../server/store/bundle-swap';
import { CacheLayout } from '../../../server/store/cache-layout';
import { Proofs } from '../../../server/store/proofs';
import { parseModelName } from '../../../shared/model-name';
import { workerPool } from '../../support/built-worker';
import { MEMORY } from '../../support/memory-folder';
import {
  leftovers,
  SAMPLE,
  sampleBundle,
  sampleFiles,
  snapshot,
  versionIn,
  writeBlobs
} from '../../support/sample-bundle';
import { temporaryFolder } from '../../support/temporary-folder';

const OLD = 2;
const NEW = 3;
const OTHER = parseModelName('other-model')!;

let layout: CacheLayout;
let store: BundleStore;
let target: string;

beforeEach(async () => {
  layout = new CacheLayout(await temporaryFolder());
  store = new BundleStore(layout, createHasher(workerPool()), new Proofs(layout.proofs));
  target = layout.model(SAMPLE);
  for (const version of [OLD, NEW]) await writeBlobs(layout, version);
});

async function install(version: number): Promise<string> {
  const { contents, manifest } = sampleBundle(layout, version);
  return store.install(SAMPLE, contents, manifest);
}

describe('installing', () => {
  it('puts exactly the promised bytes and the manifest in place', async () => {
    expect(await install(NEW)).toBe(target);
    expect(await versionIn(target)).toBe(NEW);
    const text = await readFile(join(target, 'manifest.json'), 'utf8');
    expect(JSON.parse(text)).toEqual(sampleBundle(layout, NEW).manifest);
    expect(await leftovers(layout)).toEqual([]);
  });

  it('replaces the old bundle, also the files that the new one does not have', async () => {
    await install(NEW);
    await install(OLD);
    expect(await versionIn(target)).toBe(OLD);
    expect(await leftovers(layout)).toEqual([]);
  });

  it('shares the blobs, read-only, instead of copying them', async () => {
    await install(NEW);
    for (const { path, blob } of sampleBundle(layout, NEW).contents) {
      const [file, shared] = await Promise.all([stat(join(target, path)), stat(blob.path)]);
      expect([file.ino, file.mode & 0o777, file.nlink]).toEqual([shared.ino, 0o444, 2]);
    }
  });

  it.each([0, 1, 2])('leaves the old bundle and nothing else when blob %i is missing', async (index) => {
    await install(OLD);
    const missing = sampleBundle(layout, NEW).contents[index]?.blob.path ?? '';
    // The first file is the same in both versions: the old bundle keeps its own link to it.
    await rm(missing);
    await expect(install(NEW)).rejects.toThrow('ENOENT');
    expect(await versionIn(target)).toBe(OLD);
    expect(await leftovers(layout)).toEqual([]);
  });

  it('has written every file before the manifest', async () => {
    const { contents, manifest } = sampleBundle(layout, NEW);
    const last = contents.at(-1);
    expect(last).toBeDefined();
    // A file of the manifest's own name, after all others: it is found taken only if the manifest comes later.
    const clash = [...contents, { path: 'manifest.json', blob: last!.blob }];
    await store.install(SAMPLE, clash, manifest);
    expect(JSON.parse(await readFile(join(target, 'manifest.json'), 'utf8'))).toEqual(manifest);
  });

  it('leaves the old bundle when a file is listed twice', async () => {
    await install(OLD);
    const { contents, manifest } = sampleBundle(layout, NEW);
    await expect(store.install(SAMPLE, [...contents, ...contents], manifest)).rejects.toThrow('EEXIST');
    expect(await versionIn(target)).toBe(OLD);
    expect(await leftovers(layout)).toEqual([]);
  });

  it('leaves the old bundle when the folder of purged bundles cannot be made', async () => {
    await install(OLD);
    await rm(layout.purge, { recursive: true, force: true });
    await writeFile(layout.purge, 'in the way');
    await expect(install(NEW)).rejects.toThrow(/EEXIST|ENOTDIR/);
    expect(await versionIn(target)).toBe(OLD);
    expect(await readdir(layout.staging)).toEqual([]);
  });

  it('succeeds for all of many that install at the same time, and one of them wins', async () => {
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: 8 }, (_, index) => install(index % 2 === 0 ? OLD : NEW)));
      expect([OLD, NEW]).toContain(await versionIn(target));
      expect(await leftovers(layout)).toEqual([]);
      await store.drop(SAMPLE);
    }
  });

  it('leaves a bundle that is not the one it was to replace', async () => {
    await install(OLD);
    const stamp = await folderStamp(target);
    await install(NEW);
    const { contents, manifest } = sampleBundle(layout, OLD);
    await expect(store.install(SAMPLE, contents, manifest, { expected: stamp })).rejects.toMatchObject({
      code: 'busy'
    });
    expect(await versionIn(target)).toBe(NEW);
    expect(await leftovers(layout)).toEqual([]);
  });

  it('leaves a bundle that took the place of the expected one while the next was put together', async () => {
    await install(OLD);
    const stamp = await folderStamp(target);
    const staging = join(layout.staging, 'next');
    await mkdir(staging, { recursive: true });
    await install(NEW);
    const entries = { staging: 'next', purge: 'previous' };
    await expect(promote(layout, SAMPLE, entries, stamp)).rejects.toMatchObject({ code: 'busy' });
    expect(await versionIn(target)).toBe(NEW);
  });

  it('replaces a file that lies where the bundle belongs', async () => {
    await mkdir(layout.models, { recursive: true });
    await writeFile(target, 'not a folder');
    await install(NEW);
    expect(await versionIn(target)).toBe(NEW);
    expect(await leftovers(layout)).toEqual([]);
  });

  it('replaces a link without touching what it points to', async () => {
    const elsewhere = await temporaryFolder();
    await writeFile(join(elsewhere, 'manifest.json'), 'mine');
    await mkdir(layout.models, { recursive: true });
    await symlink(elsewhere, target);
    await install(NEW);
    expect((await lstat(target)).isDirectory()).toBe(true);
    expect(await versionIn(target)).toBe(NEW);
    expect(await readFile(join(elsewhere, 'manifest.json'), 'utf8')).toBe('mine');
  });

  it('leaves the old bundle when it is cancelled while it reads what comes from another bundle', async () => {
    await install(OLD);
    const { contents, manifest } = sampleBundle(layout, NEW);
    const folder = await store.install(OTHER, contents, { ...manifest, name: OTHER });
    const copied = contents.map(({ path, blob }) => ({ path, blob: { ...blob, path: join(folder, path) } }));
    const signal = AbortSignal.abort();
    await expect(store.install(SAMPLE, copied, manifest, { signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(await versionIn(target)).toBe(OLD);
    expect(await leftovers(layout)).toEqual([]);
  });

  it('copies, read-only, what lies on another volume', async (context) => {
    const memory = await mkdtemp(join(MEMORY, 'diffusion-dock-test-')).catch(() => undefined);
    if (memory === undefined) return context.skip('there is no second volume');
    onTestFinished(() => rm(memory, { recursive: true }));
    if ((await stat(memory)).dev === (await stat(layout.root)).dev) return context.skip('there is no second volume');
    const other = new CacheLayout(memory);
    await writeBlobs(other, NEW);
    const { contents, manifest } = sampleBundle(other, NEW);
    await rm(layout.blobs, { recursive: true });
    await store.install(SAMPLE, contents, manifest);
    expect(await versionIn(target)).toBe(NEW);
    for (const name of sampleFiles(NEW).keys()) {
      const { mode, nlink } = await stat(join(target, name));
      expect([mode & 0o777, nlink]).toEqual([0o444, 1]);
    }
  });
});

describe('dropping', () => {
  it('keeps what is remembered of files that another bundle shares, though its own manifest cannot be read', async () => {
    const proofs = new Proofs(layout.proofs);
    store = new BundleStore(layout, createHasher(workerPool()), proofs);
    const { contents, manifest } = sampleBundle(layout, OLD);
    await store.install(OTHER, contents, { ...manifest, name: OTHER });
    await install(OLD);
    const { path, digest } = contents[0]!.blob;
    await proofs.remember(path, await lstat(path, { bigint: true }), { digest, readAt: 1 });
    await rm(join(target, 'manifest.json'));
    await store.drop(SAMPLE);
    expect(proofs.find(await lstat(path, { bigint: true }))).toEqual({ digest, readAt: 1 });
  });

  it('removes the bundle and nothing else', async () => {
    await install(NEW);
    await store.drop(SAMPLE);
    expect(await versionIn(target)).toBeUndefined();
    expect(await leftovers(layout)).toEqual([]);
    for (const { blob } of sampleBundle(layout, NEW).contents) expect((await stat(blob.path)).size).toBe(blob.bytes);
  });

  it('does nothing when there is no bundle', async () => {
    const before = await snapshot(layout.root);
    await store.drop(SAMPLE);
    expect(await snapshot(layout.root)).toEqual(before);
  });

  it('keeps the bundle when it cannot be moved aside', async () => {
    await install(NEW);
    await rm(layout.purge, { recursive: true, force: true });
    await writeFile(layout.purge, 'in the way');
    await expect(store.drop(SAMPLE)).rejects.toThrow(/EEXIST|ENOTDIR/);
    expect(await versionIn(target)).toBe(NEW);
  });

  it('removes a link without touching what it points to', async () => {
    const elsewhere = await temporaryFolder();
    await writeFile(join(elsewhere, 'manifest.json'), 'mine');
    await mkdir(layout.models, { recursive: true });
    await symlink(elsewhere, target);
    await store.drop(SAMPLE);
    await expect(lstat(target)).rejects.toThrow('ENOENT');
    expect(await readFile(join(elsewhere, 'manifest.json'), 'utf8')).toBe('mine');
  });
});

const holds = (version: number, changes: Record<string, unknown> = {}) => {
  const { contents, manifest } = sampleBundle(layout, version);
  return store.holds(SAMPLE, contents, { ...manifest, ...changes });
};

describe('a bundle holds', () => {
  it('what was installed, whatever the date', async () => {
    await install(NEW);
    expect(await holds(NEW)).toBe(true);
    expect(await holds(NEW, { installed_at_unix_ms: 1 })).toBe(true);
  });

  it('nothing before it is installed', async () => {
    expect(await holds(NEW)).toBe(false);
  });

  it('neither other files nor another description', async () => {
    await install(NEW);
    expect(await holds(OLD)).toBe(false);
    expect(await holds(NEW, { license: 'MIT' })).toBe(false);
  });

  it('no file that only looks like its blob', async () => {
    await install(NEW);
    const path = join(target, 'weights.gguf');
    const bytes = await readFile(path);
    await rm(path);
    await writeFile(path, bytes);
    expect(await holds(NEW)).toBe(false);
  });

  it('no file whose blob is gone, or was replaced', async () => {
    await install(NEW);
    const blob = sampleBundle(layout, NEW).contents[1]?.blob.path ?? '';
    await link(blob, join(dirname(blob), 'kept'));
    await rm(blob);
    expect(await holds(NEW)).toBe(false);
    await writeFile(blob, await readFile(join(dirname(blob), 'kept')));
    expect(await holds(NEW)).toBe(false);
  });

  it('nothing when a foreign file lies in it', async () => {
    await install(NEW);
    await writeFile(join(target, 'extra'), '');
    expect(await holds(NEW)).toBe(false);
  });
});
