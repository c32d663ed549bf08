import { once } from 'node:events';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { tryClaim } from '../../../server/platform/claims';
import { createFileDurably, readCreatedFile, removeCreatedFile } from '../../../server/platform/exclusive-files';
import { createHasher } from '../../../server/platform/hasher';
import { Registry } from '../../../server/registry/registry';
import { withEntry } from '../../../server/registry/registry-state';
import { BundleStore } from '../../../server/store/bundle-store';
import { CacheLayout } from '../../../server/store/cache-layout';
import { Proofs } from '../../../server/store/proofs';
import { relyOn } from '../../../server/store/reliance';
import { workerPool } from '../../support/built-worker';
import { leftovers, SAMPLE, sampleBundle, versionIn, writeBlobs } from '../../support/sample-bundle';
import { sampleEntry } from '../../support/sample-entry';
import { temporaryFolder } from '../../support/temporary-folder';

// As exFAT answers; everything else is the real file system.
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const rename: typeof real.rename = async (from, to) => {
    await before.goes(String(from));
    await real.rename(from, to);
  };
  const rm: typeof real.rm = async (path, options) => {
    await before.goes(String(path));
    await real.rm(path, options);
  };
  return {
    ...real,
    link: () => Promise.reject(Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' })),
    rename,
    rm
  };
});

/** What happens before a file goes from its place. */
const before = vi.hoisted(() => ({ goes: async (_path: string): Promise<void> => undefined }));

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder, 'file');
  before.goes = async () => undefined;
});

describe('on a volume without hard links, a file that one of many may create', () => {
  it('is whole, and the first one stays', async () => {
    expect(await createFileDurably(path, 'first')).toBe(true);
    expect(await createFileDurably(path, 'second')).toBe(false);
    expect(await readCreatedFile(path)).toBe('first');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('is won by one of many at the same time', async () => {
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    const wins = await Promise.all(texts.map((text) => createFileDurably(path, text)));
    expect(wins.filter(Boolean)).toHaveLength(1);
    expect(await readCreatedFile(path)).toBe(texts[wins.indexOf(true)]);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('is not created where a file of another system lies', async () => {
    await writeFile(path, 'by link, elsewhere');
    expect(await createFileDurably(path, 'ours')).toBe(false);
    expect(await readCreatedFile(path)).toBe('by link, elsewhere');
  });

  it('may be removed and created again', async () => {
    await createFileDurably(path, 'first');
    await removeCreatedFile(path);
    await removeCreatedFile(path);
    await expect(readCreatedFile(path)).rejects.toThrow('ENOENT');
    expect(await createFileDurably(path, 'second')).toBe(true);
    expect(await readCreatedFile(path)).toBe('second');
    expect(await readdir(folder)).toEqual(['file']);
  });
});

describe('on a volume without hard links', () => {
  it('the registry loses no change of many at the same time', async () => {
    const names = Array.from({ length: 25 }, (_, index) => `model-${index}`);
    const changes = names.map((text) => {
      const { name, entry } = sampleEntry(text);
      return new Registry(folder).change((models) => withEntry(models, name, entry));
    });
    await Promise.all(changes);
    const read = await new Registry(folder).read();
    expect(read.map(({ manifest }) => manifest.name).toSorted()).toEqual(names.toSorted());
    expect((await readdir(folder)).length).toBeLessThanOrEqual(17);
  });

  it('a claim is held by one, and free after its release', async () => {
    const claims = await Promise.all(Array.from({ length: 8 }, () => tryClaim(path)));
    const held = claims.filter((claim) => claim !== undefined);
    expect(held).toHaveLength(1);
    await held[0]?.release();
    expect(await tryClaim(path)).toBeDefined();
  });

  it('a bundle is installed from copies of its own, which are then the only ones', async () => {
    const layout = new CacheLayout(folder);
    await writeBlobs(layout, 3);
    const { contents, manifest } = sampleBundle(layout, 3);
    const target = await new BundleStore(layout, createHasher(workerPool()), new Proofs(layout.proofs)).install(
      SAMPLE,
      contents,
      manifest
    );
    expect(await versionIn(target)).toBe(3);
    expect((await stat(join(target, 'weights.gguf'))).nlink).toBe(1);
    for (const { blob } of contents) await expect(stat(blob.path)).rejects.toThrow('ENOENT');
    expect(await leftovers(layout)).toEqual([]);
  });

  it('a content stays in the store for a job that begins at the moment when a bundle has its copy', async () => {
    const layout = new CacheLayout(folder);
    await writeBlobs(layout, 3);
    const { contents, manifest } = sampleBundle(layout, 3);
    const { blob } = contents[0]!;
    const controller = new AbortController();
    const jobs: Promise<unknown>[] = [];
    before.goes = async (gone) => {
      if (gone !== blob.path || jobs.length > 0) return;
      const reliance = { digests: [blob.digest], open: false };
      await new Promise<void>((begun) => {
        const job = relyOn(layout, reliance, () => {
          begun();
          return once(controller.signal, 'abort');
        });
        jobs.push(job);
      });
    };
    const bundles = new BundleStore(layout, createHasher(workerPool()), new Proofs(layout.proofs));
    const digests = contents.map(({ blob: { digest } }) => digest);
    await relyOn(layout, { digests, open: false }, () => bundles.install(SAMPLE, contents, manifest));
    expect(await readdir(dirname(blob.path))).toEqual([blob.digest]);
    for (const other of contents.slice(1)) await expect(stat(other.blob.path)).rejects.toThrow('ENOENT');
    controller.abort();
    await Promise.all(jobs);
  });
});
