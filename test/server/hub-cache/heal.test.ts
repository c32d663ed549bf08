import { lstat, readdir, readFile, readlink, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { snapshotDownload } from '@huggingface/hub';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { healHubCache } from '../../../server/operations/hub-cache/heal-hub-cache';
import { verifyHubCache } from '../../../server/operations/hub-cache/verify-hub-cache';
import type { HubCacheHealing } from '../../../shared/hub-cache';
import { BuiltCache, type BuiltFile, type CacheForm } from '../../support/hub/built-cache';
import { damage, everythingIn } from '../../support/hub/damage';
import { type FakeHub, type HubRevision, type Interference, startFakeHub } from '../../support/hub/fake-hub';
import { commitOf, type HubContent } from '../../support/hub/hub-content';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { testServices } from '../../support/test-services';

const REPOSITORY = 'models--owner--repo';
const [OLD, NEW] = [commitOf('old'), commitOf('new')];
const weights: HubContent = { bytes: sampleBytes(5000), isLarge: true };
const config: HubContent = { bytes: Buffer.from('{"a":1}'), isLarge: false };
const REVISIONS: readonly HubRevision[] = [
  { commit: OLD, branches: [], files: { 'unet/weights': weights, 'config.json': config } },
  { commit: NEW, branches: ['main'], files: { 'unet/weights': weights } }
];

let cache: BuiltCache;
beforeEach(async () => {
  cache = await BuiltCache.create();
});

const hubOf = (interfere?: Interference): Promise<FakeHub> =>
  startFakeHub({ 'owner/repo': REVISIONS, 'other/repo': REVISIONS, 'datasets/owner/data': REVISIONS }, interfere);

async function heal(
  hub: FakeHub,
  { signal = new AbortController().signal, trusted = true, references = [] as readonly string[] } = {}
): Promise<readonly HubCacheHealing[]> {
  const environment = { HF_HUB_CACHE: cache.root, HF_ENDPOINT: hub.origin, HF_TOKEN: 'hf_secret' };
  const services = await testServices({ environment, isTrusted: () => trusted });
  return healHubCache(services, references, { signal, onProgress: () => undefined });
}

async function verdicts(): Promise<string[]> {
  const services = await testServices({ environment: { HF_HUB_CACHE: cache.root } });
  const options = { signal: new AbortController().signal, onProgress: () => undefined };
  const reports = await verifyHubCache(services, [], options);
  return reports.flatMap(({ files }) => files.map(({ verdict }) => verdict));
}

/** Nothing temporary may stay behind. */
async function leftovers(): Promise<string[]> {
  return (await readdir(cache.root, { recursive: true })).filter((name) => name.endsWith('.incomplete'));
}

const put = async (form: CacheForm, content = weights, path = 'unet/weights'): Promise<BuiltFile> => {
  await cache.tree(REPOSITORY, OLD, { 'unet/weights': weights, 'config.json': config });
  return cache.put(REPOSITORY, OLD, path, content, form);
};

function withoutInodes(entries: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, text]) => [name, text.replace(/^\d+ /, '')]));
}

describe.each(['link', 'shared', 'copy'] satisfies CacheForm[])('a corrupt file in the form of a %s', (form) => {
  it.each([
    ['differs in one byte', damage],
    ['was cut short', (path: string) => truncate(path, 100)],
    ['is empty', (path: string) => truncate(path, 0)]
  ])('that %s is brought back, and nothing else is touched', async (_, harm) => {
    const { bytesAt, pointer } = await put(form);
    await put(form, config, 'config.json');
    await cache.put('models--other--repo', NEW, 'unet/weights', { ...config, isLarge: true });
    await cache.ref(REPOSITORY, 'main', OLD);
    await harm(bytesAt);
    const before = await everythingIn(cache.root);
    const hub = await hubOf();
    expect(await heal(hub)).toMatchObject(
      [
        { files: [{ commit: OLD, path: 'unet/weights', outcome: 'healed' }], transferredBytes: 5000 },
        { files: [] }
      ].toReversed()
    );
    expect(await readFile(pointer)).toEqual(weights.bytes);
    expect(new Set(await verdicts())).toEqual(new Set(['verified']));
    expect(hub.fetched).toEqual([`owner/repo/resolve/${OLD}/unet/weights`]);
    const after = await everythingIn(cache.root);
    const changed = Object.keys({ ...before, ...after }).filter((name) => before[name] !== after[name]);
    expect(changed).toEqual([
      form === 'copy'
        ? `${REPOSITORY}/snapshots/${OLD}/unet/weights`
        : expect.stringMatching(/^models--owner--repo\/blobs\/[0-9a-f]{64}$/)
    ]);
  });
});

describe('a corrupt small file', () => {
  it('is brought back by the name that git gives it', async () => {
    const { bytesAt } = await put('link', config, 'config.json');
    await damage(bytesAt);
    expect(await heal(await hubOf())).toMatchObject([{ healthy: true, files: [{ outcome: 'healed' }] }]);
    expect(await readFile(bytesAt)).toEqual(config.bytes);
  });

  it('stays as it is when the hub has another one', async () => {
    const { bytesAt } = await put('link', config, 'config.json');
    await damage(bytesAt);
    const before = await everythingIn(cache.root);
    const hub = await hubOf((_, answer) => {
      answer.writeHead(200, { 'content-length': 7 }).end('{"b":2}');
      return true;
    });
    expect(await heal(hub)).toMatchObject([
      { healthy: false, files: [{ outcome: 'failed', reason: expect.stringMatching(/another content/) }] }
    ]);
    expect(await everythingIn(cache.root)).toEqual(before);
  });
});

describe('a pointer', () => {
  it('to nothing gets its content back, by a relative link', async () => {
    const { blob, pointer } = await put('link');
    await unlink(blob);
    await heal(await hubOf());
    expect(await readlink(pointer)).toBe(join('..', '..', '..', 'blobs', blob.slice(-64)));
    expect(await readFile(pointer)).toEqual(weights.bytes);
  });

  it('in a circle is led to the content that the list of the revision’s files names', async () => {
    const { pointer, blob } = await put('link');
    await unlink(blob);
    await unlink(pointer);
    await symlink(pointer, pointer);
    expect(await heal(await hubOf())).toMatchObject([{ healthy: true }]);
    expect(await readlink(pointer)).toBe(join('..', '..', '..', 'blobs', blob.slice(-64)));
    expect(await verdicts()).toEqual(['verified']);
  });

  it('to a content that links to itself is healed without following it', async () => {
    const { pointer, blob } = await put('link');
    await unlink(blob);
    await symlink(blob, blob);
    expect(await heal(await hubOf())).toMatchObject([{ healthy: true }]);
    expect((await lstat(blob)).isFile()).toBe(true);
    expect(await readFile(pointer)).toEqual(weights.bytes);
  });

  it('out of the cache is no business of ours', async () => {
    const outside = join(await temporaryFolder(), 'mine');
    await writeFile(outside, 'mine');
    const { pointer } = await put('link');
    await unlink(pointer);
    await symlink(outside, pointer);
    const hub = await hubOf();
    expect(await heal(hub)).toMatchObject([{ files: [] }]);
    expect(await readFile(outside, 'utf8')).toBe('mine');
    expect(hub.fetched).toEqual([]);
  });

  it('is never written through when the folder of contents became a link', async () => {
    const { pointer, blob } = await put('link');
    const elsewhere = await temporaryFolder();
    await rm(dirname(blob), { recursive: true });
    await symlink(elsewhere, dirname(blob));
    const before = await everythingIn(cache.root);
    await heal(await hubOf());
    expect(await readdir(elsewhere)).toEqual([]);
    expect(await everythingIn(cache.root)).toEqual(before);
    expect(await readlink(pointer)).toContain('blobs');
  });
});

describe('contents that are shared', () => {
  it('between revisions are fetched once and healed for all', async () => {
    const { bytesAt } = await put('link');
    await cache.put(REPOSITORY, NEW, 'unet/weights', weights);
    await damage(bytesAt);
    const hub = await hubOf();
    const [healing] = await heal(hub);
    expect(healing?.files.map(({ outcome }) => outcome)).toEqual(['healed', 'healed']);
    expect(hub.fetched).toHaveLength(1);
  });

  it('between repositories stay in the shared store as they are, and it is said who else uses them', async () => {
    const { bytesAt, blob } = await put('shared');
    const other = await cache.put('models--other--repo', OLD, 'unet/weights', weights, 'shared');
    await damage(bytesAt);
    const [store, refs] = [await readFile(bytesAt), await readFile(`${bytesAt}.refs`, 'utf8')];
    const [healing] = await heal(await hubOf(), { references: ['hf:owner/repo'] });
    expect(healing?.notes).toEqual([expect.stringContaining('is used by hf:other/repo too')]);
    expect((await lstat(blob)).isFile()).toBe(true);
    expect(await readFile(bytesAt)).toEqual(store);
    expect(await readFile(`${bytesAt}.refs`, 'utf8')).toBe(refs);
    expect(await readlink(other.blob)).toContain(join('..', '..', 'blobs'));
    expect((await verdicts()).toSorted()).toEqual(['corrupt', 'verified']);
  });
});

describe('a content that cannot be had', () => {
  it.each([
    ['the hub does not have it', { status: 404, body: '' }, /404|not/i],
    ['the hub sends something else of the same size', { status: 200, body: 'x'.repeat(5000) }, /promised/]
  ])('stays as it is when %s, and the others are healed', async (_, { status, body }, reason) => {
    await damage((await put('link')).bytesAt);
    await damage((await put('link', config, 'config.json')).bytesAt);
    const corrupt = await readFile(join(cache.root, REPOSITORY, 'snapshots', OLD, 'unet/weights'));
    const hub = await hubOf((path, answer) => {
      if (!path.endsWith('weights')) return false;
      answer.writeHead(status, { 'content-length': body.length }).end(body);
      return true;
    });
    const [healing] = await heal(hub);
    expect(healing).toMatchObject({ healthy: false });
    expect(new Map(healing?.files.map(({ path, outcome, reason: why }) => [path, [outcome, why]]))).toEqual(
      new Map([
        ['config.json', ['healed', undefined]],
        ['unet/weights', ['failed', expect.stringMatching(reason)]]
      ])
    );
    expect(await readFile(join(cache.root, REPOSITORY, 'snapshots', OLD, 'unet/weights'))).toEqual(corrupt);
    expect(await leftovers()).toEqual([]);
  });

  it('stays as it is when healing is cancelled', async () => {
    await damage((await put('link')).bytesAt);
    const before = await everythingIn(cache.root);
    const controller = new AbortController();
    const hub = await hubOf((_, answer) => {
      answer.writeHead(200, { 'content-length': 5000 }).write(weights.bytes.subarray(0, 10));
      controller.abort();
      return true;
    });
    await expect(heal(hub, { signal: controller.signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(await everythingIn(cache.root)).toEqual(before);
  });

  it('without a digest is kept, and not asked for', async () => {
    const { pointer } = await cache.put(REPOSITORY, OLD, 'unet/weights', weights, 'copy');
    await truncate(pointer, 0);
    const hub = await hubOf();
    expect(await heal(hub)).toMatchObject([{ healthy: false, files: [{ outcome: 'kept' }] }]);
    expect(hub.fetched).toEqual([]);
  });
});

describe('another program at work', () => {
  it('that brings the content meanwhile is believed after its bytes were proved', async () => {
    const { bytesAt } = await put('link');
    await damage(bytesAt);
    let theirs = 0;
    const hub = await hubOf(async () => {
      await writeFile(bytesAt, weights.bytes);
      theirs = (await lstat(bytesAt)).ino;
      return false;
    });
    expect(await heal(hub)).toMatchObject([{ healthy: true }]);
    expect((await lstat(bytesAt)).ino).toBe(theirs);
    expect(await leftovers()).toEqual([]);
  });

  it('that brings a wrong content meanwhile is not', async () => {
    const { bytesAt } = await put('link');
    await damage(bytesAt);
    const hub = await hubOf(async () => {
      await writeFile(bytesAt, 'wrong');
      return false;
    });
    expect(await heal(hub)).toMatchObject([{ healthy: true }]);
    expect(await readFile(bytesAt)).toEqual(weights.bytes);
  });

  it('keeps its content when ours cannot be had', async () => {
    const { bytesAt } = await put('link');
    await damage(bytesAt);
    const hub = await hubOf(async (_, answer) => {
      await writeFile(bytesAt, weights.bytes);
      answer.writeHead(404, { 'content-length': 0 }).end();
      return true;
    });
    await heal(hub);
    expect(await verdicts()).toEqual(['verified']);
    expect(await leftovers()).toEqual([]);
  });
});

describe('the hub', () => {
  it('is asked with the user’s token, for repositories of every kind', async () => {
    const { bytesAt } = await cache.put('datasets--owner--data', OLD, 'unet/weights', weights);
    await damage(bytesAt);
    const hub = await hubOf();
    expect(await heal(hub)).toMatchObject([{ reference: 'hf:datasets/owner/data', healthy: true }]);
    expect(hub.fetched).toEqual([`datasets/owner/data/resolve/${OLD}/unet/weights`]);
    expect(new Set(hub.proofs)).toEqual(new Set(['Bearer hf_secret']));
  });

  it('is not asked in an untrusted workspace', async () => {
    await damage((await put('link')).bytesAt);
    const hub = await hubOf();
    await expect(heal(hub, { trusted: false })).rejects.toMatchObject({ code: 'untrusted-workspace' });
    expect(hub.fetched).toEqual([]);
  });

  it('has its own downloader’s cache healed so that it is content with it', async () => {
    vi.spyOn(console, 'debug').mockReturnValue(undefined);
    onTestFinished(() => void vi.restoreAllMocks());
    const hub = await hubOf();
    const download = () =>
      snapshotDownload({ repo: 'owner/repo', revision: OLD, cacheDir: cache.root, hubUrl: hub.origin });
    const snapshot = await download();
    const sound = await everythingIn(cache.root);
    await damage(join(snapshot, 'unet/weights'));
    await unlink(join(cache.root, REPOSITORY, 'blobs', (await readlink(join(snapshot, 'config.json'))).slice(-40)));
    expect(await heal(hub)).toMatchObject([{ healthy: true }]);
    const asked = hub.fetched.length;
    await download();
    expect(hub.fetched).toHaveLength(asked);
    expect(withoutInodes(await everythingIn(cache.root))).toEqual(withoutInodes(sound));
  });
});
