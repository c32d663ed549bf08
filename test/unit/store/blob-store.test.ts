import { link, lstat, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHasher, type Hasher } from '../../../server/platform/hasher';
import { BlobStore } from '../../../server/store/blob-store';
import { CacheLayout } from '../../../server/store/cache-layout';
import { Proofs } from '../../../server/store/proofs';
import { readDigest } from '../../../server/store/read-digest';
import { workerPool } from '../../support/built-worker';
import { digestOf } from '../../support/sample-bundle';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

const BYTES = sampleBytes(100_000);
const DIGEST = digestOf(BYTES);
const { signal } = new AbortController();

let layout: CacheLayout;
let hasher: Hasher;
let proofs: Proofs;
let store: BlobStore;

beforeEach(async () => {
  layout = new CacheLayout(await temporaryFolder());
  hasher = createHasher(workerPool());
  proofs = new Proofs(layout.proofs);
  store = new BlobStore(layout, hasher, proofs);
});

async function fileWith(bytes: Uint8Array, name = 'download'): Promise<string> {
  const path = join(layout.root, name);
  await writeFile(path, bytes);
  return path;
}

async function commit(bytes: Uint8Array, name?: string) {
  const file = await fileWith(bytes, name);
  return store.commit(file, await hasher.hash(file));
}

describe('committing', () => {
  it('moves the file to its digest, read-only', async () => {
    const blob = await commit(BYTES);
    expect(blob).toEqual({ path: layout.blob(DIGEST), digest: DIGEST, bytes: BYTES.length });
    expect(await readFile(blob.path)).toEqual(BYTES);
    expect((await stat(blob.path)).mode & 0o777).toBe(0o444);
    await expect(lstat(join(layout.root, 'download'))).rejects.toThrow('ENOENT');
  });

  it('leaves a content that is there and right, so that its links stay', async () => {
    const { path } = await commit(BYTES);
    await proofs.keepThrough([path], () => link(path, join(layout.root, 'linked')));
    expect(await commit(BYTES)).toEqual({ path, digest: DIGEST, bytes: BYTES.length });
    expect((await stat(path)).ino).toBe((await stat(join(layout.root, 'linked'))).ino);
    await expect(lstat(join(layout.root, 'download'))).rejects.toThrow('ENOENT');
  });

  it('replaces a content that is there and changed since', async () => {
    const { path } = await commit(BYTES);
    await rm(path);
    await writeFile(path, Buffer.alloc(BYTES.length));
    await commit(BYTES);
    expect(await readFile(path)).toEqual(BYTES);
  });

  it('takes an empty content', async () => {
    const blob = await commit(Buffer.alloc(0));
    expect(await store.findProved(digestOf(Buffer.alloc(0)), signal)).toEqual(blob);
  });

  it.each([
    ['grew', Buffer.concat([BYTES, Buffer.from('x')])],
    ['shrank', BYTES.subarray(1)]
  ])('refuses a file that %s since it was hashed, and names nothing', async (_, later) => {
    const file = await fileWith(BYTES);
    const hash = await hasher.hash(file);
    await writeFile(file, later);
    await expect(store.commit(file, hash)).rejects.toMatchObject({ code: 'file-access' });
    await expect(lstat(layout.blob(DIGEST))).rejects.toThrow('ENOENT');
  });

  it('of one content by many at the same time leaves one sound blob for all', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `download-${index}`);
    const blobs = await Promise.all(names.map((name) => commit(BYTES, name)));
    expect(new Set(blobs.map(({ path }) => path))).toEqual(new Set([layout.blob(DIGEST)]));
    expect(await store.findProved(DIGEST, signal)).toEqual(blobs[0]);
  });

  it('replaces a damaged blob', async () => {
    await mkdir(layout.blobFolder(DIGEST), { recursive: true });
    await writeFile(layout.blob(DIGEST), 'damaged');
    await commit(BYTES);
    expect(await readFile(layout.blob(DIGEST))).toEqual(BYTES);
  });
});

describe('finding', () => {
  it('gives nothing where nothing is', async () => {
    expect(await store.findProved(DIGEST, signal)).toBeUndefined();
  });

  it.each([
    ['one flipped bit', () => BYTES.map((byte, index) => (index === 50_000 ? byte ^ 1 : byte))],
    ['its end cut off', () => BYTES.subarray(0, -1)],
    ['one byte more', () => Buffer.concat([BYTES, Buffer.alloc(1)])],
    ['no byte left', () => Buffer.alloc(0)]
  ])('removes a blob with %s, while a bundle keeps its own link to it', async (_, damaged) => {
    const { path } = await commit(BYTES);
    const linked = join(layout.root, 'in-a-bundle');
    await rm(path);
    await writeFile(path, damaged());
    await link(path, linked);
    expect(await store.findProved(DIGEST, signal)).toBeUndefined();
    await expect(lstat(path)).rejects.toThrow('ENOENT');
    expect(await readFile(linked)).toEqual(Buffer.from(damaged()));
  });

  it('keeps the blob that another process puts in the place of a damaged one meanwhile', async () => {
    const path = layout.blob(DIGEST);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, 'damaged');
    const during: Hasher = {
      ...hasher,
      async hash(file, options) {
        const hash = await hasher.hash(file, options);
        await commit(BYTES);
        return hash;
      }
    };
    expect(await new BlobStore(layout, during, proofs).findProved(DIGEST, signal)).toBeUndefined();
    expect(await readFile(path)).toEqual(BYTES);
  });

  it('is not read again while nothing changed since it was committed, through links to it too', async () => {
    const { path } = await commit(BYTES);
    await proofs.keepThrough([path], () => link(path, join(layout.root, 'bundle-file')));
    const unread: Hasher = { ...hasher, hash: () => Promise.reject(new Error('it was read')) };
    const blob = { path, digest: DIGEST, bytes: BYTES.length };
    expect(await new BlobStore(layout, unread, proofs).findProved(DIGEST, signal)).toEqual(blob);
    expect(await new BlobStore(layout, unread, new Proofs(layout.proofs)).findProved(DIGEST, signal)).toEqual(blob);
  });

  it('follows no link out of the store', async () => {
    const outside = await fileWith(BYTES, 'outside');
    await mkdir(layout.blobFolder(DIGEST), { recursive: true });
    await symlink(outside, layout.blob(DIGEST));
    expect(await store.findProved(DIGEST, signal)).toBeUndefined();
    expect(await readFile(outside)).toEqual(BYTES);
  });

  it('keeps the blob when it is cancelled', async () => {
    const { path } = await commit(BYTES);
    const forgetful = new BlobStore(layout, hasher, new Proofs(join(layout.root, 'no-proofs')));
    await expect(forgetful.findProved(DIGEST, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(await readFile(path)).toEqual(BYTES);
  });

  it('keeps the blob when it cannot be read', async () => {
    const { path } = await commit(BYTES);
    const failing: Hasher = {
      ...hasher,
      hash: () => Promise.reject(Object.assign(new Error('too many open files'), { code: 'EMFILE' }))
    };
    await expect(
      new BlobStore(layout, failing, new Proofs(join(layout.root, 'no-proofs'))).findProved(DIGEST, signal)
    ).rejects.toThrow('too many open files');
    expect(await readFile(path)).toEqual(BYTES);
  });
});

describe('a blob that the disk cannot read any more', () => {
  it('counts as absent once that showed, for other processes too, and what is fetched anew takes its place', async () => {
    const { path } = await commit(BYTES);
    const { ino } = await stat(path);
    const fault = Object.assign(new Error('i/o error'), { code: 'EIO' });
    const failing: Hasher = { ...hasher, hash: () => Promise.reject(fault) };
    await proofs.refresh();
    await expect(readDigest(path, { hasher: failing, proofs, signal, force: true })).rejects.toBe(fault);
    for (const known of [proofs, new Proofs(layout.proofs)]) {
      expect(await new BlobStore(layout, failing, known).findProved(DIGEST, signal)).toBeUndefined();
    }
    await commit(BYTES);
    expect((await stat(path)).ino).not.toBe(ino);
    expect(await store.findProved(DIGEST, signal)).toMatchObject({ digest: DIGEST });
  });
});

describe('a blob that is damaged', () => {
  it('is not removed when another process has put a sound one in its place meanwhile', async () => {
    await mkdir(dirname(layout.blob(DIGEST)), { recursive: true });
    await writeFile(layout.blob(DIGEST), sampleBytes(100_000, 2));
    const found = await store.findProved(DIGEST, signal, {
      salvage: async () => {
        await rm(layout.blob(DIGEST));
        await commit(BYTES);
      }
    });
    expect(found).toBeUndefined();
    expect(await readFile(layout.blob(DIGEST))).toEqual(BYTES);
    expect(await store.findProved(DIGEST, signal)).toMatchObject({ digest: DIGEST });
  });
});
