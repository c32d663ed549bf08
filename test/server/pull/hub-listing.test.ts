import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelFromManifest } from '../../../server/operations/models/register-model';
import { planModel } from '../../../server/operations/pull/pull-model';
import { type HubFiles, type MovingHub, type MovingHubOptions, startMovingHub } from '../../support/hub/moving-hub';
import { digestOf } from '../../support/sample-bundle';
import { sampleBytes } from '../../support/sample-bytes';
import {
  cacheEntries,
  pullManifest,
  type TestServices,
  testServices,
  writeManifest
} from '../../support/test-services';

const LARGE = sampleBytes(5000);
const OTHER = sampleBytes(6000, 2);
const SMALL = Buffer.from('{ "small": true }');
const FILES: HubFiles = { 'unet/large.gguf': LARGE, 'other.gguf': OTHER, 'config.json': SMALL };
const signal = new AbortController().signal;

async function hubOf(
  options: MovingHubOptions & { readonly environment?: Record<string, string> } = {}
): Promise<{ hub: MovingHub; services: TestServices; manifest: string }> {
  const hub = await startMovingHub(FILES, options);
  const services = await testServices({ environment: { HF_ENDPOINT: hub.origin, ...options.environment } });
  const manifest = await writeManifest([
    { url: 'hf:owner/repo/unet/large.gguf', filename: 'large.gguf' },
    { url: 'hf:owner/repo/other.gguf', filename: 'other.gguf', role: 'vae' },
    { url: 'hf:owner/repo/config.json', filename: 'config.json', role: 'lora' }
  ]);
  return { hub, services, manifest };
}

const isListing = (request: string): boolean => request.includes('/api/');

describe('the plan of a pull from the hub', () => {
  it('asks once for all files of a revision, and knows their sizes and digests', async () => {
    const { hub, services, manifest } = await hubOf();
    const plan = await planModel(services, await modelFromManifest(manifest), signal);
    expect(hub.requests).toEqual(['GET /api/models/owner/repo/tree/main?recursive=true']);
    expect(plan).toMatchObject({
      totalBytes: LARGE.length + OTHER.length + SMALL.length,
      files: [{ digest: digestOf(LARGE) }, { digest: digestOf(OTHER) }, { digest: null, bytes: SMALL.length }]
    });
  });

  it('reads a listing of several pages to its end', async () => {
    const { hub, services, manifest } = await hubOf({ pageSize: 1 });
    const plan = await planModel(services, await modelFromManifest(manifest), signal);
    expect(hub.requests.filter(isListing)).toHaveLength(3);
    expect(hub.requests.some((request) => request.startsWith('HEAD'))).toBe(false);
    expect(plan.totalBytes).toBe(LARGE.length + OTHER.length + SMALL.length);
  });

  it.each<[string, MovingHubOptions]>([
    ['is not there', { lists: false }],
    [
      'is no listing',
      {
        before: ({ url }, response) => isListing(url ?? '') && Boolean(response.writeHead(200).end('{ "error": "?" }'))
      }
    ],
    [
      'goes on at another host',
      {
        before: ({ url }, response) =>
          isListing(url ?? '') &&
          Boolean(response.writeHead(200, { Link: '<https://elsewhere.example/x>; rel="next"' }).end('[]'))
      }
    ],
    [
      'has a page without a commit',
      {
        pageSize: 1,
        before: ({ url }, response) => url?.includes('cursor=1') === true && Boolean(response.writeHead(200).end('[]'))
      }
    ],
    [
      'is longer than any listing',
      {
        before: ({ url }, response) =>
          isListing(url ?? '') && Boolean(response.writeHead(200).end(Buffer.alloc(17 * 1024 * 1024, ' ')))
      }
    ]
  ])('asks file by file when the listing %s', async (_, options) => {
    const { hub, services, manifest } = await hubOf(options);
    const plan = await planModel(services, await modelFromManifest(manifest), signal);
    expect(hub.requests.filter((request) => request.startsWith('HEAD /owner/repo/'))).toHaveLength(3);
    expect(plan).toMatchObject({ files: [{ digest: digestOf(LARGE) }, { digest: digestOf(OTHER) }, { digest: null }] });
    await pullManifest(services, manifest);
  });

  it('is made when the hub was busy for a moment, as exact as otherwise', async () => {
    let refusals = 2;
    const { services, manifest } = await hubOf({
      before: ({ url }, response) => {
        if (!isListing(url ?? '') || refusals === 0) return false;
        refusals -= 1;
        return Boolean(response.writeHead(503).end());
      }
    });
    const plan = await planModel(services, await modelFromManifest(manifest), signal);
    expect(plan).toMatchObject({ files: [{ digest: digestOf(LARGE) }, {}, { bytes: SMALL.length }] });
  });

  it('is made anew when somebody pushes between two of its pages, and is of one commit', async () => {
    const newer = { ...FILES, 'other.gguf': sampleBytes(7000, 3) };
    let isPushed = false;
    const { hub, services, manifest } = await hubOf({
      pageSize: 1,
      before: ({ url }) => {
        if (!url?.includes('cursor=1') || isPushed) return false;
        isPushed = true;
        hub.publish(newer);
        return false;
      }
    });
    const { folder } = await pullManifest(services, manifest);
    expect(hub.requests.filter(isListing)).toHaveLength(5);
    expect(hub.requests.filter((request) => request.startsWith('HEAD'))).toEqual([]);
    expect(await readFile(join(folder, 'other.gguf'))).toEqual(newer['other.gguf']);
  });

  it('fails when the hub stays busy, instead of proving less without a word', async () => {
    const { services, manifest } = await hubOf({
      before: ({ url }, response) => isListing(url ?? '') && Boolean(response.writeHead(503).end())
    });
    const plan = planModel(services, await modelFromManifest(manifest), signal);
    await expect(plan).rejects.toMatchObject({ code: 'http-status', message: expect.stringContaining('503') });
  });

  it('asks nothing when the manifest says everything', async () => {
    const { hub, services } = await hubOf();
    const file = { url: 'hf:owner/repo/other.gguf', sha256: digestOf(OTHER), size_bytes: OTHER.length };
    await planModel(services, await modelFromManifest(await writeManifest([file])), signal);
    expect(hub.requests).toEqual([]);
  });

  it('names a file that is not in the repository', async () => {
    const { services } = await hubOf();
    const manifest = await writeManifest([{ url: 'hf:owner/repo/gone.gguf' }]);
    await expect(pullManifest(services, manifest)).rejects.toMatchObject({
      code: 'http-status',
      subject: expect.stringContaining('/gone.gguf')
    });
  });

  it('sends the token with the listing as with the files', async () => {
    const { hub, services, manifest } = await hubOf({ environment: { HF_TOKEN: 'hf_CANARY' } });
    await pullManifest(services, manifest);
    expect(new Set(hub.proofs)).toEqual(new Set(['Bearer hf_CANARY']));
    expect(services.logged.join('\n')).not.toContain('CANARY');
  });
});

describe('a pull from the hub', () => {
  it('takes all files from the commit that was listed, although the branch moves meanwhile', async () => {
    const { hub, services, manifest } = await hubOf();
    let moved = false;
    const { folder } = await pullManifest(services, manifest, {
      onEvent: ({ type }) => {
        if (type !== 'file_completed' || moved) return;
        moved = true;
        hub.publish({ ...FILES, 'other.gguf': sampleBytes(6000, 3), 'config.json': Buffer.from('{ "small": false }') });
      }
    });
    expect(await readFile(join(folder, 'other.gguf'))).toEqual(OTHER);
    expect(await readFile(join(folder, 'config.json'))).toEqual(SMALL);
    expect(hub.requests.some((request) => request.includes('/resolve/main/'))).toBe(false);
  });

  it('refuses a small file that is not the git object that was listed', async () => {
    const { services, manifest } = await hubOf({
      before: ({ url, method }, response) =>
        method === 'GET' && url?.endsWith('/config.json') === true && Boolean(response.end('{ "small": nope }'))
    });
    await expect(pullManifest(services, manifest)).rejects.toMatchObject({
      code: 'digest-mismatch',
      subject: expect.stringContaining('config.json')
    });
    expect((await cacheEntries(services)).filter((path) => /^(models|\.partial\/.*data)/.test(path))).toEqual([]);
  });
});
