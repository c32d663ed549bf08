import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHasher, type Hasher } from '../../../server/platform/hasher';
import { assessBundleFolder } from '../../../server/store/bundle-state';
import { BundleStore } from '../../../server/store/bundle-store';
import { CacheLayout } from '../../../server/store/cache-layout';
import { Proofs } from '../../../server/store/proofs';
import { type DeepVerification, verifyDeeply } from '../../../server/store/verify-bundle';
import { workerPool } from '../../support/built-worker';
import { digestOf, SAMPLE, sampleBundle, snapshot, writeBlobs } from '../../support/sample-bundle';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

const BYTES = 3000 + 2003 + 'vae 3'.length;

let folder: string;
let hasher: Hasher;
let proofs: Proofs;

beforeEach(async () => {
  const layout = new CacheLayout(await temporaryFolder());
  proofs = new Proofs(layout.proofs);
  await writeBlobs(layout, 3);
  const { contents, manifest } = sampleBundle(layout, 3);
  folder = await new BundleStore(layout, createHasher(workerPool()), proofs).install(SAMPLE, contents, manifest);
  hasher = createHasher(workerPool());
});

const weights = () => join(folder, 'weights.gguf');

const ignore: (bytes: number) => void = () => undefined;

/** Verifies, after a quick look, what a damage done in between leaves. */
async function verify(
  damage: () => Promise<unknown> = async () => undefined,
  { signal = new AbortController().signal, force = false, onProgress = ignore, looksWithProofs = false } = {}
): Promise<DeepVerification> {
  await proofs.refresh();
  const bundle = await assessBundleFolder(folder, looksWithProofs ? proofs : undefined);
  if (bundle.kind !== 'present') throw new Error(`the bundle is ${bundle.kind}`);
  await damage();
  const before = await snapshot(folder);
  const result = await verifyDeeply(folder, bundle, { hasher, proofs, force, signal, onProgress });
  expect(await snapshot(folder)).toEqual(before);
  return result;
}

async function editManifest(edit: (text: string) => string): Promise<void> {
  const path = join(folder, 'manifest.json');
  await writeFile(path, edit(await readFile(path, 'utf8')));
}

/** Gives the file bytes of its own, so that the blob stays as it is. */
async function replaceWeights(bytes: Uint8Array | string): Promise<void> {
  await rm(weights());
  await writeFile(weights(), bytes);
}

it('proves a sound bundle byte for byte', async () => {
  expect(await verify()).toEqual({
    files: ['shared.gguf', 'weights.gguf', 'vae.safetensors'].map((path) => ({ path, verdict: 'verified' })),
    bytes: BYTES
  });
});

it('does not read again what did not change since, unless asked to, and says when it was read', async () => {
  proofs = new Proofs(await temporaryFolder(), () => Date.now() + 60_000);
  const first = await verify();
  const again = await verify();
  const provedAt = expect.any(Number);
  expect(first.bytes).toBe(BYTES);
  expect(again).toEqual({ files: first.files.map((file) => ({ ...file, provedAt })), bytes: 0 });
  expect(await verify(undefined, { looksWithProofs: true })).toEqual(again);
  expect(await verify(undefined, { force: true })).toEqual(first);
  await replaceWeights(Buffer.alloc(2003));
  const { files, bytes } = await verify();
  expect(files.map(({ verdict }) => verdict)).toEqual(['verified', 'corrupt', 'verified']);
  expect(bytes).toBe(2003);
  const known = await verify(undefined, { looksWithProofs: true });
  expect(known).toEqual({ files: files.map((file) => ({ ...file, provedAt })), bytes: 0 });
});

const verdicts = async () => (await verify()).files.map(({ verdict }) => verdict);

it('calls a file whose digest nobody declared unverifiable, and corrupt when it changed', async () => {
  await editManifest((text) => text.replaceAll('"size_bytes"', '"digest_origin":"observed","size_bytes"'));
  expect(await verdicts()).toEqual(['unverifiable', 'unverifiable', 'unverifiable']);
  await replaceWeights(Buffer.alloc(2003));
  expect(await verdicts()).toEqual(['unverifiable', 'corrupt', 'unverifiable']);
});

it.each(['EACCES', 'EPERM'])('calls a file unverifiable when reading it ends with %s', async (code) => {
  failWith(code);
  expect((await verify()).files).toEqual([
    { path: 'shared.gguf', verdict: 'verified' },
    { path: 'weights.gguf', verdict: 'unverifiable', reason: 'Access was denied.' },
    { path: 'vae.safetensors', verdict: 'verified' }
  ]);
});

describe('a file is corrupt, and only that one,', () => {
  it.each([0, 1000, 2002])('when byte %i is flipped', async (index) => {
    const bytes = await readFile(weights());
    bytes[index]! ^= 1;
    await replaceWeights(bytes);
    expect(await verify()).toEqual({
      files: [
        { path: 'shared.gguf', verdict: 'verified' },
        {
          path: 'weights.gguf',
          verdict: 'corrupt',
          reason: expect.stringMatching(new RegExp(`^The SHA-256 is ${sha256(bytes)}, not [0-9a-f]{64}\\.$`))
        },
        { path: 'vae.safetensors', verdict: 'verified' }
      ],
      bytes: BYTES
    });
  });

  const damages: [string, () => Promise<unknown>][] = [
    ['cut', () => truncate(weights(), 2002)],
    ['longer', () => replaceWeights(Buffer.alloc(2004))],
    ['empty', () => replaceWeights('')],
    ['missing', () => rm(weights())]
  ];

  it.each(damages)('when it is %s before the quick look', async (_, damage) => {
    await damage();
    expect((await verify()).files.map(({ verdict }) => verdict)).toEqual(['verified', 'corrupt', 'verified']);
  });

  it.each(damages)('when it is %s after the quick look', async (_, damage) => {
    const { files } = await verify(damage);
    expect(files.map(({ verdict }) => verdict)).toEqual(['verified', 'corrupt', 'verified']);
  });

  it.each(['EIO', 'ELOOP'])('when reading it ends with %s', async (code) => {
    failWith(code);
    expect((await verify()).files).toEqual([
      { path: 'shared.gguf', verdict: 'verified' },
      { path: 'weights.gguf', verdict: 'corrupt', reason: 'The file cannot be read.' },
      { path: 'vae.safetensors', verdict: 'verified' }
    ]);
  });

  it('when the disk could not read it the last time, although it could before', async () => {
    proofs = new Proofs(await temporaryFolder(), () => Date.now() + 60_000);
    await verify();
    failWith('EIO');
    await verify(undefined, { force: true });
    for (const looksWithProofs of [false, true]) {
      const { files } = await verify(undefined, { looksWithProofs });
      expect(files.map(({ verdict }) => verdict)).toEqual(['verified', 'corrupt', 'verified']);
    }
  });

  it('when a folder takes its place after the quick look', async () => {
    const { files } = await verify(async () => {
      await rm(weights());
      await mkdir(weights());
    });
    expect(files[1]).toEqual({ path: 'weights.gguf', verdict: 'corrupt', reason: 'The file cannot be read.' });
  });

  it.runIf(process.platform !== 'win32')('when a pipe takes its place after the quick look', async () => {
    const { files } = await verify(async () => {
      await rm(weights());
      execFileSync('mkfifo', [weights()]);
    });
    expect(files[1]).toMatchObject({ path: 'weights.gguf', verdict: 'corrupt' });
  });
});

/** From now on the system refuses to have the weights read. */
function failWith(code: string): void {
  const real = hasher;
  const fault = Object.assign(new Error(code), { code });
  hasher = {
    ...hasher,
    hash: (path, options) => (path === weights() ? Promise.reject(fault) : real.hash(path, options))
  };
}

describe('verification', () => {
  it('calls nothing corrupt because of a shortage of the machine', async () => {
    failWith('EMFILE');
    await expect(verify()).rejects.toThrow('EMFILE');
  });

  it('tells progress that only grows and ends with every byte', async () => {
    const seen: number[] = [];
    await verify(undefined, { onProgress: (bytes) => seen.push(bytes) });
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(BYTES);
  });

  it('ends as cancelled when it was before it began', async () => {
    await expect(verify(undefined, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('ends as cancelled in the middle of a file, and can be done again', async () => {
    const large = sampleBytes(64 * 1024 * 1024);
    await replaceWeights(large);
    const digest = sampleBundle(new CacheLayout(folder), 3).contents[1]?.blob.digest ?? '';
    await editManifest((text) =>
      text.replace(digest, sha256(large)).replace('"size_bytes": 2003', `"size_bytes": ${large.length}`)
    );
    const controller = new AbortController();
    let seen = 0;
    const onProgress = (bytes: number): void => {
      seen = bytes;
      if (bytes > 8_000_000) controller.abort();
    };
    await expect(verify(undefined, { signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: 'cancelled'
    });
    expect(seen).toBeLessThan(large.length);
    expect((await verify()).files.map(({ verdict }) => verdict)).toEqual(['verified', 'verified', 'verified']);
  });
});

it('begins no other file once the system is short of something, and nothing goes on behind the failure', async () => {
  const begun: string[] = [];
  let isSecondDone = false;
  const hash: Hasher['hash'] = async (path) => {
    begun.push(path);
    if (begun.length === 1) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    await nextTurn();
    isSecondDone = true;
    return { digest: digestOf(Buffer.alloc(0)), bytes: 0 };
  };
  hasher = { ...hasher, hash };
  await expect(verify()).rejects.toMatchObject({ code: 'EMFILE' });
  expect({ begun: begun.length, isSecondDone }).toEqual({ begun: 2, isSecondDone: true });
});
