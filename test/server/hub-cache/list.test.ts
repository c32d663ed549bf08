import { mkdir, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { snapshotDownload } from '@huggingface/hub';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { listHubCache } from '../../../server/operations/hub-cache/hub-cache';
import type { HubCacheListing, HubCacheRepository } from '../../../shared/hub-cache';
import { BuiltCache } from '../../support/hub/built-cache';
import { startFakeHub } from '../../support/hub/fake-hub';
import { commitOf, type HubContent } from '../../support/hub/hub-content';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';

const REPOSITORY = 'models--owner--repo';
const [OLD, NEW] = [commitOf('old'), commitOf('new')];
const weights: HubContent = { bytes: sampleBytes(5000), isLarge: true };
const config: HubContent = { bytes: Buffer.from('{"a":1}'), isLarge: false };
const others: HubContent = { bytes: sampleBytes(300, 7), isLarge: true };

const list = (root: string): Promise<HubCacheListing> => listHubCache({ environment: { HF_HUB_CACHE: root } });

async function only(root: string): Promise<HubCacheRepository> {
  const { repositories } = await list(root);
  expect(repositories).toHaveLength(1);
  return repositories[0]!;
}

let cache: BuiltCache;
beforeEach(async () => {
  cache = await BuiltCache.create();
});

describe('a cache that is in order', () => {
  it('is empty when it does not exist', async () => {
    const folder = join(await temporaryFolder(), 'nowhere');
    expect(await list(folder)).toEqual({
      folder,
      exists: false,
      bytes: 0,
      repositories: [],
      unreferenced: [],
      problems: []
    });
  });

  it('lists revisions with their refs, and counts what they share once', async () => {
    await cache.put(REPOSITORY, OLD, 'unet/weights.safetensors', weights);
    await cache.put(REPOSITORY, NEW, 'unet/weights.safetensors', weights);
    await cache.put(REPOSITORY, NEW, 'config.json', config);
    await cache.ref(REPOSITORY, 'main', NEW);
    await cache.ref(REPOSITORY, 'refs/pr/1', OLD);
    const { bytes, repositories, problems } = await list(cache.root);
    expect({ bytes, problems }).toEqual({ bytes: 5007, problems: [] });
    const [repository] = repositories;
    expect(repository).toMatchObject({ reference: 'hf:owner/repo', bytes: 5007, incomplete: [], unreferenced: [] });
    expect(new Map(repository?.revisions.map(({ commit, refs, bytes: size }) => [commit, [refs, size]]))).toEqual(
      new Map([
        [NEW, [['main'], 5007]],
        [OLD, [['refs/pr/1'], 5000]]
      ])
    );
    expect(repository?.revisions.find(({ commit }) => commit === NEW)?.files).toMatchObject([
      { path: 'config.json', bytes: 7 },
      { path: 'unet/weights.safetensors', bytes: 5000 }
    ]);
  });

  it('counts a content of the shared store once for the whole cache', async () => {
    await cache.put('models--a--one', OLD, 'weights', weights, 'shared');
    await cache.put('models--b--two', NEW, 'weights', weights, 'shared');
    const { bytes, repositories, unreferenced } = await list(cache.root);
    expect(bytes).toBe(5000);
    expect(repositories.map((repository) => repository.bytes)).toEqual([5000, 5000]);
    expect(unreferenced).toEqual([]);
  });

  it('tells when it was last used', async () => {
    const { bytesAt } = await cache.put(REPOSITORY, OLD, 'weights', weights);
    await utimes(bytesAt, new Date(2_000_000), new Date(1_000_000));
    expect((await only(cache.root)).lastUsedAtUnixMs).toBe(2_000_000);
  });

  it('was written by the hub’s own downloader', async () => {
    vi.spyOn(console, 'debug').mockReturnValue(undefined);
    onTestFinished(() => void vi.restoreAllMocks());
    const files = { 'unet/weights.safetensors': weights, 'config.json': config };
    const hub = await startFakeHub({ 'owner/repo': [{ commit: NEW, branches: ['main'], files }] });
    await snapshotDownload({ repo: 'owner/repo', cacheDir: cache.root, hubUrl: hub.origin });
    const repository = await only(cache.root);
    expect(repository).toMatchObject({ reference: 'hf:owner/repo', bytes: 5007, problems: [], unreferenced: [] });
    expect(repository.revisions).toMatchObject([{ commit: NEW, refs: ['main'], bytes: 5007 }]);
  });
});

describe('what is left over', () => {
  it('is unfinished downloads of old and new names, and contents that no revision leads to', async () => {
    const { blob } = await cache.put(REPOSITORY, OLD, 'weights', weights);
    await writeFile(`${blob}.incomplete`, 'abc');
    await writeFile(`${blob}.0a1b2c3d.incomplete`, 'abcde');
    const dropped = await cache.put(REPOSITORY, OLD, 'other', others);
    await unlink(dropped.pointer);
    const repository = await only(cache.root);
    expect(new Set(repository.incomplete.map(({ bytes }) => bytes))).toEqual(new Set([3, 5]));
    expect(repository.unreferenced).toMatchObject([{ bytes: 300 }]);
    expect(repository.bytes).toBe(5308);
  });

  it('includes what nobody uses in the shared store', async () => {
    const { blob } = await cache.put(REPOSITORY, OLD, 'weights', weights, 'shared');
    await unlink(blob);
    expect((await list(cache.root)).unreferenced).toMatchObject([{ bytes: 5000 }]);
  });

  it('is nothing in a folder named blobs that is not marked as the shared store', async () => {
    await mkdir(join(cache.root, 'blobs', 'aa'), { recursive: true });
    await writeFile(join(cache.root, 'blobs', 'aa', `aa${'0'.repeat(62)}`), 'mine');
    expect(await list(cache.root)).toMatchObject({ bytes: 0, unreferenced: [] });
  });
});

describe('a part that is broken', () => {
  it('is listed with a reason, and everything else as well', async () => {
    const { pointer, blob } = await cache.put(REPOSITORY, OLD, 'weights', weights);
    await cache.put(REPOSITORY, OLD, 'config.json', config);
    await unlink(blob);
    const [revision] = (await only(cache.root)).revisions;
    expect(revision?.files).toEqual([
      { path: 'config.json', location: join(dirname(pointer), 'config.json'), bytes: 7 },
      { path: 'weights', location: pointer, problem: expect.stringMatching(/leads to models--owner--repo\/blobs\//) }
    ]);
  });

  it.each([
    ['empty', '', /is empty/],
    ['no commit', 'refs: heads/main', /names no commit/],
    ['to a revision that is gone', NEW, /not here/]
  ])('may be a ref: %s', async (_, text, reason) => {
    await cache.put(REPOSITORY, OLD, 'weights', weights);
    await cache.ref(REPOSITORY, 'main', text);
    const { revisions, problems } = await only(cache.root);
    expect(problems).toEqual([{ path: 'models--owner--repo/refs/main', reason: expect.stringMatching(reason) }]);
    expect(revisions).toMatchObject([{ commit: OLD, refs: [], bytes: 5000 }]);
  });

  it('may be a circle of links', async () => {
    const snapshot = join(cache.root, REPOSITORY, 'snapshots', OLD);
    await mkdir(snapshot, { recursive: true });
    await symlink('b', join(snapshot, 'a'));
    await symlink('a', join(snapshot, 'b'));
    await symlink('self', join(snapshot, 'self'));
    const [revision] = (await only(cache.root)).revisions;
    expect(revision?.files.map(({ problem }) => problem)).toEqual(
      Array.from({ length: 3 }, () => expect.stringMatching(/circle/))
    );
  });

  it('may be a link out of the cache, of a file, a folder or a whole repository; nothing there is looked at', async () => {
    const outside = await temporaryFolder();
    await writeFile(join(outside, 'secret'), 'secret');
    await cache.put(REPOSITORY, OLD, 'weights', weights);
    const snapshot = join(cache.root, REPOSITORY, 'snapshots', OLD);
    await symlink(join(outside, 'secret'), join(snapshot, 'file'));
    await symlink(outside, join(snapshot, 'folder'));
    const unused = await cache.put(REPOSITORY, OLD, 'unused', others);
    await unlink(unused.pointer);
    await symlink(outside, join(cache.root, REPOSITORY, 'snapshots', NEW));
    await symlink(outside, join(cache.root, 'models--owner--elsewhere'));
    const { repositories, problems, bytes } = await list(cache.root);
    expect(bytes).toBe(5300);
    expect(problems).toMatchObject([{ path: 'models--owner--elsewhere' }]);
    expect(repositories).toHaveLength(1);
    expect(repositories[0]?.problems).toMatchObject([{ path: `${REPOSITORY}/snapshots/${NEW}` }]);
    // What was not looked at may use any content, so that none counts as unused.
    expect(repositories[0]?.unreferenced).toEqual([]);
    const [revision] = repositories[0]?.revisions ?? [];
    expect(revision?.files.map(({ path, problem }) => [path, problem])).toEqual([
      ['file', expect.stringMatching(/out of the cache/)],
      ['folder', expect.stringMatching(/out of the cache/)],
      ['weights', undefined]
    ]);
  });

  it('may be a folder that is no repository, a repository that is a file, and one with nothing in it', async () => {
    await mkdir(join(cache.root, 'models--'), { recursive: true });
    await mkdir(join(cache.root, 'models--owner--empty'));
    await writeFile(join(cache.root, 'models--owner--file'), '');
    await writeFile(join(cache.root, 'version.txt'), '1');
    const { repositories, problems } = await list(cache.root);
    expect(problems.map(({ path }) => path)).toEqual(['models--', 'models--owner--file']);
    expect(repositories).toMatchObject([{ reference: 'hf:owner/empty', bytes: 0, revisions: [], problems: [] }]);
  });
});

describe('a cache behind a link', () => {
  it('is read like any other', async () => {
    await cache.put(REPOSITORY, OLD, 'weights', weights);
    const link = join(await temporaryFolder(), 'link');
    await symlink(cache.root, link);
    const [revision] = (await only(link)).revisions;
    expect(revision?.files).toMatchObject([{ path: 'weights', bytes: 5000 }]);
    await rm(link);
  });
});
