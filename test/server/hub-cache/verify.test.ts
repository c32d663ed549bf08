import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  rename,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { readCache } from '../../../server/huggingface/cache/read-cache';
import { verifyRepository } from '../../../server/huggingface/cache/verify-repository';
import { verifyHubCache } from '../../../server/operations/hub-cache/verify-hub-cache';
import type { HubCacheReport, HubCacheVerdict } from '../../../shared/hub-cache';
import type { HubCacheProgress } from '../../../shared/job-events';
import { BuiltCache, type BuiltFile, type CacheForm } from '../../support/hub/built-cache';
import { damage } from '../../support/hub/damage';
import { commitOf, type HubContent } from '../../support/hub/hub-content';
import { sampleBytes } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { testServices } from '../../support/test-services';

const REPOSITORY = 'models--owner--repo';
const [OLD, NEW] = [commitOf('old'), commitOf('new')];
const weights: HubContent = { bytes: sampleBytes(5000), isLarge: true };
const config: HubContent = { bytes: Buffer.from('{"a":1}'), isLarge: false };
const nothing: HubContent = { bytes: Buffer.alloc(0), isLarge: false };

let cache: BuiltCache;
beforeEach(async () => {
  cache = await BuiltCache.create();
});

async function verify(
  references: readonly string[] = [],
  signal = new AbortController().signal,
  onProgress: (progress: HubCacheProgress) => void = () => undefined
): Promise<readonly HubCacheReport[]> {
  const services = await testServices({ environment: { HF_HUB_CACHE: cache.root } });
  return verifyHubCache(services, references, { signal, onProgress });
}

async function onlyVerdict(): Promise<HubCacheVerdict> {
  const [report] = await verify();
  expect(report?.files).toHaveLength(1);
  return report!.files[0]!;
}

describe.each(['link', 'shared', 'copy'] satisfies CacheForm[])('a file in the form of a %s', (form) => {
  const put = async (content: HubContent, path = 'file'): Promise<BuiltFile> => {
    await cache.tree(REPOSITORY, OLD, { [path]: content });
    return cache.put(REPOSITORY, OLD, path, content, form);
  };

  it.each([
    ['large', weights],
    ['small', config],
    ['empty', nothing]
  ])('that is %s is verified', async (_, content) => {
    await put(content);
    expect(await onlyVerdict()).toEqual({ commit: OLD, path: 'file', verdict: 'verified' });
  });

  it.each([
    ['large', weights],
    ['small', config]
  ])('that is %s is corrupt when one byte differs', async (_, content) => {
    await damage((await put(content)).bytesAt);
    expect(await onlyVerdict()).toMatchObject({ verdict: 'corrupt', reason: expect.stringMatching(/SHA-(256|1) is/) });
  });

  it('is corrupt when it is cut short, and not read for that', async () => {
    await truncate((await put(weights)).bytesAt, 4999);
    const [report] = await verify();
    expect(report).toMatchObject({ healthy: false, bytes: 0, files: [{ verdict: 'corrupt' }] });
    expect(report?.files[0]?.reason).toBe('The file has 4999 bytes and should have 5000.');
  });

  it('is corrupt when it is empty and should not be', async () => {
    await truncate((await put(weights)).bytesAt, 0);
    expect(await onlyVerdict()).toMatchObject({ verdict: 'corrupt', reason: 'The file is empty.' });
  });
});

describe('a link', () => {
  it.each(['link', 'shared'] satisfies CacheForm[])('(%s) is corrupt when nothing is behind it', async (form) => {
    const { bytesAt } = await cache.put(REPOSITORY, OLD, 'file', weights, form);
    await unlink(bytesAt);
    expect(await onlyVerdict()).toMatchObject({
      verdict: 'corrupt',
      reason: expect.stringMatching(/where nothing is/)
    });
  });

  it('is judged by the name in its own repository, never by that in the shared store', async () => {
    const { bytesAt, blob } = await cache.put(REPOSITORY, OLD, 'file', weights, 'shared');
    await damage(bytesAt);
    const verdict = await onlyVerdict();
    expect(verdict.verdict).toBe('corrupt');
    expect(verdict.reason).toContain(blob.slice(-64));
  });

  it('is unverifiable when the list of the revision’s files says otherwise', async () => {
    await cache.put(REPOSITORY, OLD, 'file', weights);
    await cache.tree(REPOSITORY, OLD, { file: { bytes: sampleBytes(5000, 9), isLarge: true } });
    expect(await onlyVerdict()).toMatchObject({ verdict: 'unverifiable', reason: expect.stringMatching(/disagree/) });
  });

  it('is unverifiable when the content has a name that is no digest', async () => {
    const { pointer } = await cache.put(REPOSITORY, OLD, 'file', weights);
    const odd = join(cache.root, REPOSITORY, 'blobs', 'W-some-etag');
    await writeFile(odd, 'content');
    await unlink(pointer);
    await cache.link(pointer, odd);
    expect(await onlyVerdict()).toMatchObject({ verdict: 'unverifiable' });
  });

  it('out of the cache is unverifiable, although the same bytes are there', async () => {
    const { pointer, blob } = await cache.put(REPOSITORY, OLD, 'file', weights);
    const outside = join(await temporaryFolder(), 'weights');
    await copyFile(blob, outside);
    await unlink(pointer);
    await symlink(outside, pointer);
    expect(await onlyVerdict()).toMatchObject({
      verdict: 'unverifiable',
      reason: expect.stringMatching(/out of the cache/)
    });
  });

  it('in a circle, or to a folder, is corrupt', async () => {
    const { blob } = await cache.put(REPOSITORY, OLD, 'file', weights);
    await unlink(blob);
    await symlink(blob, blob);
    expect(await onlyVerdict()).toMatchObject({ verdict: 'corrupt', reason: 'The link leads in a circle.' });
    await unlink(blob);
    await mkdir(blob);
    expect(await onlyVerdict()).toMatchObject({ verdict: 'corrupt', reason: expect.stringMatching(/no file/) });
  });
});

describe('a copy', () => {
  it('is unverifiable when nobody noted its digest', async () => {
    await cache.put(REPOSITORY, OLD, 'file', weights, 'copy');
    expect(await onlyVerdict()).toMatchObject({ verdict: 'unverifiable' });
  });

  it.each(['{', '{"format_version":2,"files":{}}', '{"format_version":1,"files":{"file":{"size":-1}}}'])(
    'is unverifiable when the list of the revision’s files is %s, which is told',
    async (text) => {
      await cache.put(REPOSITORY, OLD, 'file', weights, 'copy');
      await writeFile(await cache.tree(REPOSITORY, OLD, {}), text);
      const [report] = await verify();
      expect(report?.files).toMatchObject([{ verdict: 'unverifiable' }]);
      expect(report?.problems).toMatchObject([{ path: `${REPOSITORY}/trees/${OLD}.json` }]);
    }
  );
});

async function paths(...references: string[]): Promise<string[][]> {
  return (await verify(references)).map(({ files }) => files.map(({ path }) => path).toSorted());
}

describe('a verification', () => {
  it('reads a content that revisions share once, and tells progress in bytes', async () => {
    await cache.put(REPOSITORY, OLD, 'file', weights);
    await cache.put(REPOSITORY, NEW, 'file', weights);
    const seen: HubCacheProgress[] = [];
    const [report] = await verify([], undefined, (progress) => seen.push(progress));
    expect(report).toMatchObject({ bytes: 5000, healthy: true });
    expect(seen.at(-1)).toEqual({ reference: 'hf:owner/repo', phase: 'verifying', doneBytes: 5000, totalBytes: 5000 });
  });

  it('is of what was named: a repository, a branch, the beginning of a commit', async () => {
    await cache.put(REPOSITORY, OLD, 'old', weights);
    await cache.put(REPOSITORY, NEW, 'new', config);
    await cache.put('datasets--owner--data', OLD, 'data', config);
    await cache.ref(REPOSITORY, 'main', NEW);
    expect(await paths('hf:owner/repo')).toEqual([['new', 'old']]);
    expect(await paths('hf:owner/repo@main')).toEqual([['new']]);
    expect(await paths(`hf:owner/repo@${OLD.slice(0, 8)}`, 'hf:datasets/owner/data')).toEqual([['old'], ['data']]);
  });

  it.each([
    [['owner/repo'], 'wrong-usage'],
    [['hf:owner/other'], 'not-cached'],
    [['hf:owner/repo@next'], 'not-cached']
  ])('of %j fails with %s', async (references, code) => {
    await cache.put(REPOSITORY, OLD, 'file', weights);
    await expect(verify(references)).rejects.toMatchObject({ code });
  });

  it('changes nothing, also in a cache that cannot be written to', async () => {
    const { pointer, blob } = await cache.put(REPOSITORY, OLD, 'file', weights);
    await chmod(blob, 0o444);
    await chmod(dirname(pointer), 0o555);
    const before = await readdir(cache.root, { recursive: true });
    expect(await onlyVerdict()).toMatchObject({ verdict: 'verified' });
    expect(await readdir(cache.root, { recursive: true })).toEqual(before);
  });

  it('does not read again what did not change, unless asked', async () => {
    const { blob } = await cache.put(REPOSITORY, OLD, 'file', weights);
    await utimes(blob, new Date(1_000_000), new Date(1_000_000));
    // A file that was changed a moment ago may be changed again without a trace.
    const clock = { ...(await testServices()).clock, now: () => Date.now() + 60_000 };
    const services = await testServices({ environment: { HF_HUB_CACHE: cache.root }, clock });
    const once = async (force: boolean) => {
      const [report] = await verifyHubCache(services, [], {
        force,
        signal: new AbortController().signal,
        onProgress: () => undefined
      });
      return { bytes: report?.bytes, verdict: report?.files[0]?.verdict };
    };
    expect(await once(false)).toEqual({ bytes: 5000, verdict: 'verified' });
    expect(await once(false)).toEqual({ bytes: 0, verdict: 'verified' });
    expect(await once(true)).toEqual({ bytes: 5000, verdict: 'verified' });
    await damage(blob);
    expect(await once(false)).toEqual({ bytes: 5000, verdict: 'corrupt' });
  });

  it('can be cancelled', async () => {
    await cache.put(REPOSITORY, OLD, 'file', weights);
    await expect(verify([], AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('sees what another program put in order after the cache was read', async () => {
    const { blob } = await cache.put(REPOSITORY, OLD, 'file', weights);
    await rename(blob, `${blob}.aside`);
    const services = await testServices();
    const contents = await readCache(cache.root);
    await rename(`${blob}.aside`, blob);
    const [repository] = contents!.repositories;
    const { files } = await verifyRepository(repository!, repository!.revisions, {
      root: contents!.root,
      hasher: services.hasher,
      proofs: services.proofs,
      force: false,
      signal: new AbortController().signal,
      onProgress: () => undefined
    });
    expect(files.map(({ verdict }) => verdict)).toEqual([{ commit: OLD, path: 'file', verdict: 'verified' }]);
  });
});
