import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { DiskTurns } from '../../../server/platform/disk-turns';
import { createHasher, type Hasher } from '../../../server/platform/hasher';
import { WORKER_SCRIPT, workerPool } from '../../support/built-worker';
import { Random } from '../../support/random';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { bundleScript, ScriptProcess } from '../../support/script-process';
import { temporaryFolder } from '../../support/temporary-folder';

const MIB = 1024 * 1024;

let hasher: Hasher;
let path: string;

beforeEach(async () => {
  hasher = createHasher(workerPool());
  path = join(await temporaryFolder(), 'file');
});

const hashOf = (bytes: Uint8Array) => ({ digest: sha256(bytes), bytes: bytes.length });

describe('hashing a file', () => {
  it.each([0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 5 * MIB + 3])(
    'gives the digest of all its %i bytes',
    async (length) => {
      const bytes = sampleBytes(length);
      await writeFile(path, bytes);
      expect(await hasher.hash(path)).toEqual(hashOf(bytes));
    }
  );

  it.each([
    ['nothing', Buffer.alloc(0), 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'],
    ['a line', Buffer.from('hello\n'), 'ce013625030ba8dba906f756967f9e9ca394464a']
  ])('gives the name by which git knows %s', async (_, bytes, sha1) => {
    await writeFile(path, bytes);
    expect(await hasher.hashForGit(path)).toEqual({ sha1, bytes: bytes.length });
  });

  it('of many at the same time mixes nothing up', async () => {
    const contents = Array.from({ length: 8 }, (_, index) => sampleBytes(700_000 * index + 1, index + 1));
    await Promise.all(contents.map((bytes, index) => writeFile(`${path}${index}`, bytes)));
    const hashes = await Promise.all(contents.map((_, index) => hasher.hash(`${path}${index}`)));
    expect(hashes).toEqual(contents.map(hashOf));
  });

  it('tells progress in bytes that only grow', async () => {
    await writeFile(path, sampleBytes(20 * MIB));
    const seen: number[] = [];
    await hasher.hash(path, { onProgress: (bytes) => seen.push(bytes) });
    expect(seen).toEqual([8 * MIB, 16 * MIB]);
  });

  it.each([
    ['that does not exist', 'ENOENT', async () => undefined],
    ['that is a folder', 'EISDIR', () => rm(path, { force: true }).then(() => mkdtemp(path))]
  ])('fails for one %s with the system’s code', async (_, code, put) => {
    const made = await put();
    await expect(hasher.hash(made ?? path)).rejects.toMatchObject({ code });
    await writeFile(path, 'next');
    expect(await hasher.hash(path)).toEqual(hashOf(Buffer.from('next')));
  });
});

describe('following a growing file', () => {
  it.each([1, 2, 3])('gives the digest of what was written, whatever the steps (seed %i)', async (seed) => {
    const random = new Random(seed);
    const bytes = sampleBytes(6 * MIB + 11, seed);
    await writeFile(path, '');
    const following = hasher.follow(path);
    let written = 0;
    while (written < bytes.length) {
      const next = Math.min(bytes.length, written + 1 + random.below(random.pick([10, 70_000, 2 * MIB])));
      await appendFile(path, bytes.subarray(written, next));
      written = next;
      following.advance(written);
    }
    expect(await following.finish(written)).toEqual(hashOf(bytes));
  });

  it('reads nothing beyond what was announced', async () => {
    const bytes = sampleBytes(3 * MIB);
    await writeFile(path, Buffer.concat([bytes, Buffer.from('written, but not announced')]));
    const following = hasher.follow(path);
    following.advance(MIB);
    expect(await following.finish(bytes.length)).toEqual(hashOf(bytes));
  });

  it('gives the bytes that are really there when the file is shorter than announced', async () => {
    const bytes = sampleBytes(2 * MIB + 5);
    await writeFile(path, bytes);
    expect(await hasher.follow(path).finish(3 * MIB)).toEqual(hashOf(bytes));
    await truncate(path, MIB);
    expect(await hasher.follow(path).finish(3 * MIB)).toEqual(hashOf(bytes.subarray(0, MIB)));
  });

  it('takes an empty file', async () => {
    await writeFile(path, '');
    expect(await hasher.follow(path).finish(0)).toEqual(hashOf(Buffer.alloc(0)));
  });

  it('of several files in one worker does not let one that waits hold up another', async () => {
    const bytes = sampleBytes(MIB + 1);
    await writeFile(path, bytes);
    const waiting = Array.from({ length: 5 }, () => hasher.follow(path));
    expect(await hasher.hash(path)).toEqual(hashOf(bytes));
    const hashes = await Promise.all(waiting.map((following) => following.finish(bytes.length)));
    expect(hashes).toEqual(waiting.map(() => hashOf(bytes)));
  });
});

describe('cancelling', () => {
  it('rejects before anything is read', async () => {
    await expect(hasher.hash(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('rejects in the middle, and the workers are fit for more', async () => {
    await writeFile(path, sampleBytes(64 * MIB));
    const attempt = async (): Promise<void> => {
      const controller = new AbortController();
      const onProgress = (): void => controller.abort();
      await hasher.hash(path, { signal: controller.signal, onProgress });
    };
    const results = await Promise.allSettled([attempt(), attempt(), attempt()]);
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'cancelled' } });
    await writeFile(path, 'next');
    expect(await hasher.hash(path)).toEqual(hashOf(Buffer.from('next')));
  });

  it('rejects while the file’s writer is silent', async () => {
    await writeFile(path, '');
    const controller = new AbortController();
    const following = hasher.follow(path, { signal: controller.signal });
    following.advance(0);
    controller.abort();
    await expect(following.finish(0)).rejects.toMatchObject({ code: 'cancelled' });
  });
});

it('never keeps a process alive that has nothing else to do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const bytes = sampleBytes(MIB);
  await writeFile(path, bytes);
  const child = new ScriptProcess(await bundleScript('idle-script.ts', folder), [WORKER_SCRIPT, path, path]);
  expect(await child.ended).toEqual({ code: 0, signal: null });
  expect(child.lines).toEqual([sha256(bytes), sha256(bytes)]);
});

it('whatever a file is hashed for, it has its turn on a rotating disk', async () => {
  await writeFile(path, 'hello\n');
  const turns = new DiskTurns(
    async () => true,
    async () => 1
  );
  const order: string[] = [];
  const hashing = createHasher(workerPool(), turns);
  const earlier = turns.take(path, undefined, async () => {
    // Longer than the same file takes.
    await createHasher(workerPool()).hash(path);
    await createHasher(workerPool()).hash(path);
    order.push('earlier');
  });
  await Promise.all([
    earlier,
    hashing.hashForGit(path).then(() => order.push('git')),
    hashing.hash(path).then(() => order.push('hash'))
  ]);
  expect(order).toEqual(['earlier', 'git', 'hash']);
});
