import { access, mkdir, readdir, readFile, readlink, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { dropFromHubCache, pruneHubCache } from '../../../server/operations/hub-cache/drop-from-hub-cache';
import { listHubCache } from '../../../server/operations/hub-cache/hub-cache';
import { verifyHubCache } from '../../../server/operations/hub-cache/verify-hub-cache';
import type { HubCacheDeletion } from '../../../shared/hub-cache';
import { BuiltCache } from '../../support/hub/built-cache';
import { everythingIn } from '../../support/hub/damage';
import { commitOf, type HubContent } from '../../support/hub/hub-content';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { testServices } from '../../support/test-services';

const REPOSITORY = 'models--owner--repo';
const [OLD, NEW] = [commitOf('old'), commitOf('new')];
const LONG_AGO = new Date(Date.now() - 48 * 3600 * 1000);
const weights: HubContent = { bytes: sampleBytes(5000), isLarge: true };
const others: HubContent = { bytes: sampleBytes(300, 7), isLarge: true };

let cache: BuiltCache;
beforeEach(async () => {
  cache = await BuiltCache.create();
});

const services = (isTrusted = true) =>
  testServices({ environment: { HF_HUB_CACHE: cache.root }, isTrusted: () => isTrusted });

/** What was announced is what happened, to the byte. */
async function drop(reference: string): Promise<HubCacheDeletion> {
  const parts = await services();
  const { bytes: before } = await listHubCache(parts);
  const announced = await dropFromHubCache(parts, reference, { dryRun: true });
  const done = await dropFromHubCache(parts, reference, { dryRun: false });
  expect(announced).toEqual({ ...done, deleted: false });
  const { bytes: after } = await listHubCache(parts);
  expect(before - after).toBe(done.freedBytes);
  return done;
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false
  );

async function everythingIsVerified(): Promise<void> {
  const options = { signal: new AbortController().signal, onProgress: () => undefined };
  const reports = await verifyHubCache(await services(), [], options);
  expect(reports.flatMap(({ files }) => files.filter(({ verdict }) => verdict !== 'verified'))).toEqual([]);
}

describe('dropping a revision', () => {
  it('frees what it alone uses, and removes its refs and notes', async () => {
    await cache.put(REPOSITORY, OLD, 'a', weights);
    const alone = await cache.put(REPOSITORY, OLD, 'b', others);
    await cache.put(REPOSITORY, NEW, 'a', weights);
    await cache.ref(REPOSITORY, 'refs/pr/1', OLD);
    const kept = await cache.ref(REPOSITORY, 'main', NEW);
    await cache.tree(REPOSITORY, OLD, { a: weights });
    expect(await drop('hf:owner/repo@refs/pr/1')).toMatchObject({ freedBytes: 300, keptBytes: 5000 });
    expect(await isThere(alone.blob)).toBe(false);
    expect(await readFile(kept, 'utf8')).toBe(NEW);
    const { repositories } = await listHubCache(await services());
    expect(repositories).toMatchObject([{ bytes: 5000, revisions: [{ commit: NEW, refs: ['main'] }], problems: [] }]);
    expect(await readdir(join(cache.root, REPOSITORY, 'trees'))).toEqual([]);
    await everythingIsVerified();
  });

  it('frees copies, where there are no links', async () => {
    await cache.put(REPOSITORY, OLD, 'a', weights, 'copy');
    const kept = await cache.put(REPOSITORY, NEW, 'a', weights, 'copy');
    expect(await drop(`hf:owner/repo@${OLD}`)).toMatchObject({ freedBytes: 5000, keptBytes: 0 });
    expect(await readFile(kept.pointer)).toEqual(weights.bytes);
  });

  it('takes the repository along when it is the last one', async () => {
    await cache.put(REPOSITORY, OLD, 'a', weights);
    expect(await drop(`hf:owner/repo@${OLD}`)).toMatchObject({ freedBytes: 5000 });
    expect(await readdir(cache.root)).toEqual([]);
  });

  it('keeps every content while a part of the repository cannot be seen', async () => {
    await cache.put(REPOSITORY, OLD, 'a', weights);
    await cache.put(REPOSITORY, NEW, 'b', others);
    await symlink(await temporaryFolder(), join(cache.root, REPOSITORY, 'snapshots', commitOf('third')));
    expect(await drop(`hf:owner/repo@${OLD}`)).toMatchObject({ freedBytes: 0, keptBytes: 5000 });
  });
});

describe('dropping a repository', () => {
  it.each(['hf:owner/repo', `hf:owner/repo@${OLD}`])(
    'leaves what another program may be downloading into it, and says so: %s',
    async (reference) => {
      const { blob } = await cache.put(REPOSITORY, OLD, 'a', weights);
      const unlinked = await cache.put(REPOSITORY, OLD, 'b', others);
      await unlink(unlinked.pointer);
      for (const name of [`${blob}.0a1b2c3d.incomplete`, `${blob}.1a1b2c3d.incomplete`]) await writeFile(name, 'abc');
      await utimes(`${blob}.1a1b2c3d.incomplete`, LONG_AGO, LONG_AGO);
      expect(await drop(reference)).toMatchObject({ freedBytes: 5003, keptBytes: 0, arrivingBytes: 303 });
      expect((await readdir(join(cache.root, REPOSITORY, 'blobs'))).toSorted()).toEqual(
        [basename(unlinked.blob), `${basename(blob)}.0a1b2c3d.incomplete`].toSorted()
      );
      expect(await readdir(join(cache.root, REPOSITORY, 'snapshots'))).toEqual([]);
    }
  );

  it('frees all of it, leftovers too, and nothing of another', async () => {
    const { blob } = await cache.put(REPOSITORY, OLD, 'a', weights);
    await writeFile(`${blob}.incomplete`, 'abc');
    await utimes(`${blob}.incomplete`, LONG_AGO, LONG_AGO);
    await cache.put('models--owner--other', OLD, 'a', weights);
    const before = await everythingIn(join(cache.root, 'models--owner--other'));
    expect(await drop('hf:owner/repo')).toMatchObject({ freedBytes: 5003, keptBytes: 0 });
    expect(await readdir(cache.root)).toEqual(['models--owner--other']);
    expect(await everythingIn(join(cache.root, 'models--owner--other'))).toEqual(before);
  });

  it('frees a content of the shared store with its last user', async () => {
    const { bytesAt } = await cache.put(REPOSITORY, OLD, 'a', weights, 'shared');
    await cache.put('models--owner--other', OLD, 'a', weights, 'shared');
    expect(await drop('hf:owner/repo')).toMatchObject({ freedBytes: 0, keptBytes: 5000 });
    await everythingIsVerified();
    expect(await drop('hf:owner/other')).toMatchObject({ freedBytes: 5000, keptBytes: 0 });
    expect(await isThere(bytesAt)).toBe(false);
    expect(await isThere(`${bytesAt}.refs`)).toBe(false);
  });

  it.each([
    ['is gone', (path: string) => unlink(path)],
    ['makes no sense', (path: string) => writeFile(path, '../../somewhere\n')]
  ])('keeps a content of the shared store when the list of its users %s', async (_, harm) => {
    const { bytesAt } = await cache.put(REPOSITORY, OLD, 'a', weights, 'shared');
    await harm(`${bytesAt}.refs`);
    expect(await drop('hf:owner/repo')).toMatchObject({ freedBytes: 0, keptBytes: 5000 });
    expect(await readFile(bytesAt)).toEqual(weights.bytes);
  });

  it('removes links out of the cache and nothing behind them', async () => {
    const outside = await temporaryFolder();
    await mkdir(join(outside, 'folder'));
    await writeFile(join(outside, 'folder', 'mine'), 'mine');
    await cache.put(REPOSITORY, OLD, 'a', weights);
    await symlink(join(outside, 'folder'), join(cache.root, REPOSITORY, 'snapshots', OLD, 'folder'));
    await symlink(join(outside, 'folder'), join(cache.root, REPOSITORY, 'snapshots', NEW));
    await drop('hf:owner/repo');
    expect(await readdir(cache.root)).toEqual([]);
    expect(await readFile(join(outside, 'folder', 'mine'), 'utf8')).toBe('mine');
  });

  it('is not for untrusted workspaces', async () => {
    await cache.put(REPOSITORY, OLD, 'a', weights);
    const untrusted = await services(false);
    expect(await dropFromHubCache(untrusted, 'hf:owner/repo', { dryRun: true })).toMatchObject({ freedBytes: 5000 });
    await expect(dropFromHubCache(untrusted, 'hf:owner/repo', { dryRun: false })).rejects.toMatchObject({
      code: 'untrusted-workspace'
    });
  });
});

describe('pruning', () => {
  it('frees old leftovers, and keeps what may be in the making', async () => {
    const { blob, pointer } = await cache.put(REPOSITORY, OLD, 'a', weights);
    const unused = await cache.put(REPOSITORY, OLD, 'b', others);
    const shared = await cache.put(REPOSITORY, OLD, 'c', { ...others, bytes: sampleBytes(40, 3) }, 'shared');
    await unlink(unused.pointer);
    await unlink(shared.pointer);
    await unlink(shared.blob);
    await writeFile(`${blob}.0a1b2c3d.incomplete`, 'abcde');
    for (const path of [blob, unused.blob, shared.bytesAt, `${blob}.0a1b2c3d.incomplete`])
      await utimes(path, LONG_AGO, LONG_AGO);
    await writeFile(`${blob}.1a1b2c3d.incomplete`, 'abc');
    const parts = await services();
    expect(await pruneHubCache(parts, [], { dryRun: true })).toMatchObject({ freedBytes: 345, deleted: false });
    expect(await pruneHubCache(parts, [], { dryRun: false })).toMatchObject({ freedBytes: 345, deleted: true });
    const { bytes, unreferenced, repositories } = await listHubCache(parts);
    expect({ bytes, unreferenced }).toEqual({ bytes: 5003, unreferenced: [] });
    expect(repositories[0]?.incomplete).toHaveLength(1);
    expect(await readlink(pointer)).toContain('blobs');
    await everythingIsVerified();
  });
});
