import { readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cleanUpAfterCrashes } from '../../../server/operations/clean-up/start-up';
import type { ServiceOptions } from '../../../server/operations/services';
import { formatJournalLine } from '../../../server/pull/partial/journal';
import { partialKey } from '../../../server/pull/partial/partial-folders';
import { leavePartial } from '../../support/left-partial';
import { type RawRequest, rangeStart, respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import {
  cacheEntries,
  pullManifest,
  type TestServices,
  testServices,
  writeManifest
} from '../../support/test-services';

const CONTENT = sampleBytes(6_000_000);
const CUT = 4_000_000;

interface Site {
  readonly url: string;
  readonly requests: readonly RawRequest[];
}

/** Serves a content with ranges; `etag` null sends none. The first answer stops at `cut` and stays open. */
async function site({
  content = CONTENT,
  etag = '"v1"',
  cut = 0
}: {
  content?: Buffer;
  etag?: string | null;
  cut?: number;
} = {}): Promise<Site> {
  const server = await startRawServer((request, socket) => {
    const asked = rangeStart(request);
    const condition = request.headers['if-range'];
    const start = condition !== undefined && condition !== etag ? 0 : asked;
    const range = { 'Content-Range': `bytes ${start}-${content.length - 1}/${content.length}` };
    const end = request.count === 1 && cut > 0 ? cut : content.length;
    const headers = {
      'Content-Length': content.length - start,
      ...(etag !== null && { ETag: etag }),
      ...(start > 0 && range)
    };
    respond(socket, start > 0 ? 206 : 200, headers, content.subarray(start, end));
  });
  onTestFinished(() => server.close());
  return { url: `${server.origin}/weights.gguf`, requests: server.requests };
}

/** Pulls until some megabytes are there, then cancels. */
async function cancelHalfWay(services: TestServices, manifest: string): Promise<void> {
  const controller = new AbortController();
  const pulled = pullManifest(services, manifest, {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === 'file_progress' && event.receivedBytes > 2_000_000) controller.abort();
    }
  });
  await expect(pulled).rejects.toMatchObject({ code: 'cancelled' });
}

async function installedDigest(services: TestServices): Promise<string> {
  return sha256(await readFile(join(services.root, 'models', 'test-model', 'weights.gguf')));
}

describe('a cancelled pull', () => {
  it('leaves nothing but a partial, and the next one fetches only the rest', async () => {
    const { url, requests } = await site({ cut: CUT });
    const services = await testServices();
    const manifest = await writeManifest([{ url, sha256: sha256(CONTENT) }]);
    await cancelHalfWay(services, manifest);
    const left = await cacheEntries(services);
    expect(left.map((path) => path.replace(/^\.partial\/[^/]+/, '.partial/x'))).toEqual([
      '.partial/x/data',
      '.partial/x/journal'
    ]);

    await pullManifest(services, manifest);
    expect(rangeStart(requests[1] ?? fail())).toBeGreaterThan(2_000_000);
    expect(await installedDigest(services)).toBe(sha256(CONTENT));
  });

  it('is gone on with by another process of the same cache', async () => {
    const { url, requests } = await site({ cut: CUT });
    const services = await testServices();
    const manifest = await writeManifest([{ url, sha256: sha256(CONTENT) }]);
    await cancelHalfWay(services, manifest);
    const other = await testServices({ root: services.root });
    await pullManifest(other, manifest);
    expect(rangeStart(requests[1] ?? fail())).toBeGreaterThan(2_000_000);
    expect(await installedDigest(other)).toBe(sha256(CONTENT));
  });

  it('keeps the bundle that was installed before', async () => {
    const services = await testServices();
    const old = sampleBytes(1000, 7);
    const { url: oldUrl } = await site({ content: old });
    await pullManifest(services, await writeManifest([{ url: oldUrl, sha256: sha256(old) }]));
    const { url } = await site({ cut: CUT });
    await cancelHalfWay(services, await writeManifest([{ url, sha256: sha256(CONTENT) }]));
    expect(await installedDigest(services)).toBe(sha256(old));
  });
});

describe('a resumed transfer never mixes two versions', () => {
  const newer = sampleBytes(6_000_000, 99);

  it('when the ETag changed and no digest is declared', async () => {
    const services = await testServices();
    const before = await site({ cut: CUT });
    await cancelHalfWay(services, await writeManifest([{ url: before.url }]));
    // The same address serves another content now: rewrite the journal's source to the new server's address.
    const after = await site({ content: newer, etag: '"v2"' });
    await redirectPartial(services, before.url, after.url);
    await pullManifest(services, await writeManifest([{ url: after.url }]));
    expect(await installedDigest(services)).toBe(sha256(newer));
  });

  it('when a server answers a range with another version although it was told which one', async () => {
    const services = await testServices();
    const { url } = await site({ cut: CUT });
    await cancelHalfWay(services, await writeManifest([{ url }]));
    const careless = await startRawServer((request, socket) => {
      const start = rangeStart(request);
      const range = { 'Content-Range': `bytes ${start}-${newer.length - 1}/${newer.length}` };
      const headers = { 'Content-Length': newer.length - start, ETag: '"v2"', ...(start > 0 && range) };
      respond(socket, start > 0 ? 206 : 200, headers, newer.subarray(start));
    });
    onTestFinished(() => careless.close());
    const moved = `${careless.origin}/weights.gguf`;
    await redirectPartial(services, url, moved);
    await pullManifest(services, await writeManifest([{ url: moved }]));
    expect(await installedDigest(services)).toBe(sha256(newer));
  });

  it('when a local file was replaced by another of the same size', async () => {
    const services = await testServices();
    const manifest = await writeManifest([{ url: 'weights.gguf' }]);
    const file = join(dirname(manifest), 'weights.gguf');
    await writeFile(file, newer);
    // Copying a local file is over too soon to be cancelled, so the partial comes from elsewhere.
    const { url } = await site({ cut: CUT });
    await cancelHalfWay(services, await writeManifest([{ url }]));
    await redirectPartial(services, url, file);
    await pullManifest(services, manifest);
    expect(await installedDigest(services)).toBe(sha256(newer));
  });

  it('when a connection breaks and nothing tells the versions apart: it starts over', async () => {
    let answers = 0;
    const fickle = await startRawServer((_, socket) => {
      answers += 1;
      const content = answers === 1 ? CONTENT : newer;
      respond(socket, 200, { 'Content-Length': content.length }, answers === 1 ? content.subarray(0, CUT) : content);
      if (answers === 1) socket.end();
    });
    onTestFinished(() => fickle.close());
    const services = await testServices();
    await pullManifest(services, await writeManifest([{ url: `${fickle.origin}/w` }]));
    expect(await installedDigest(services)).toBe(sha256(newer));
  });

  it('when there is no ETag and no digest: it starts over', async () => {
    const services = await testServices();
    const { url, requests } = await site({ etag: null, cut: CUT });
    const manifest = await writeManifest([{ url }]);
    await cancelHalfWay(services, manifest);
    await pullManifest(services, manifest);
    expect(rangeStart(requests[1] ?? fail())).toBe(0);
    expect(await installedDigest(services)).toBe(sha256(CONTENT));
  });

  it('when the content behind a declared digest was another one: it is fetched once more from zero', async () => {
    const services = await testServices();
    const wrong = await site({ content: newer, cut: CUT });
    await cancelHalfWay(services, await writeManifest([{ url: wrong.url, sha256: sha256(CONTENT) }]));
    const right = await site();
    await pullManifest(services, await writeManifest([{ url: right.url, sha256: sha256(CONTENT) }]));
    expect(right.requests.map(rangeStart)).toEqual([expect.any(Number), 0]);
    expect(rangeStart(right.requests[0] ?? fail())).toBeGreaterThan(2_000_000);
    expect(await installedDigest(services)).toBe(sha256(CONTENT));
  });

  it('when the server ignores ranges: it starts over', async () => {
    const services = await testServices();
    const { url } = await site({ cut: CUT });
    await cancelHalfWay(services, await writeManifest([{ url, sha256: sha256(CONTENT) }]));
    const plain = await startRawServer((_, socket) =>
      respond(socket, 200, { 'Content-Length': CONTENT.length }, CONTENT)
    );
    onTestFinished(() => plain.close());
    await pullManifest(services, await writeManifest([{ url: `${plain.origin}/w`, sha256: sha256(CONTENT) }]));
    expect(plain.requests.length).toBe(2);
    expect(await installedDigest(services)).toBe(sha256(CONTENT));
  });

  it('when the server says that the range is impossible: it starts over', async () => {
    const services = await testServices();
    const { url } = await site({ cut: CUT });
    await cancelHalfWay(services, await writeManifest([{ url, sha256: sha256(CONTENT) }]));
    const strict = await startRawServer((request, socket) => {
      if (rangeStart(request) > 0) respond(socket, 416, { 'Content-Range': 'bytes */10', 'Content-Length': 0 });
      else respond(socket, 200, { 'Content-Length': CONTENT.length }, CONTENT);
    });
    onTestFinished(() => strict.close());
    await pullManifest(services, await writeManifest([{ url: `${strict.origin}/w`, sha256: sha256(CONTENT) }]));
    expect(await installedDigest(services)).toBe(sha256(CONTENT));
  });

  it.each([
    ['another start', 'bytes 0-5999999/6000000'],
    ['another total', 'bytes START-6999999/7000000'],
    ['no range at all', undefined]
  ])('when the answer tells %s, nothing is installed', async (_, range) => {
    const services = await testServices();
    const { url } = await site({ cut: CUT });
    await cancelHalfWay(services, await writeManifest([{ url, sha256: sha256(CONTENT) }]));
    const liar = await startRawServer((request, socket) => {
      const start = rangeStart(request);
      const header = range && { 'Content-Range': range.replace('START', String(start)) };
      respond(socket, start > 0 ? 206 : 404, { 'Content-Length': start > 0 ? CONTENT.length - start : 0, ...header });
    });
    onTestFinished(() => liar.close());
    const pulled = pullManifest(services, await writeManifest([{ url: `${liar.origin}/w`, sha256: sha256(CONTENT) }]));
    await expect(pulled).rejects.toMatchObject({ name: 'Failure' });
    expect((await cacheEntries(services)).filter((path) => /^(models|blobs)/.test(path))).toEqual([]);
  });
});

describe('what was received before', () => {
  const partial = { of: sha256(CONTENT), content: CONTENT, ranges: [{ start: 0, end: CUT }] };
  const promised = { sha256: sha256(CONTENT), size_bytes: CONTENT.length };

  it.each<[string, Partial<ServiceOptions>, Record<string, unknown>, string]>([
    ['the credential is missing', {}, { credential_alias: 'nobody' }, 'credential-missing'],
    ['the file of authorities cannot be read', { caFile: '/nowhere/ca.pem' }, {}, 'file-access'],
    ['the address of the proxy is wrong', { environment: { HTTPS_PROXY: 'socks5://p:1' } }, {}, 'bad-request']
  ])('stays when %s', async (_, options, fields, code) => {
    const services = await testServices(options);
    const url = 'https://models.test/weights.gguf';
    await leavePartial(services.layout, { ...partial, source: url });
    await expect(pullManifest(services, await writeManifest([{ url, ...promised }], fields))).rejects.toMatchObject({
      code
    });
    const { url: right, requests } = await site();
    const mended = await testServices({ root: services.root });
    await pullManifest(mended, await writeManifest([{ url: right, ...promised }]));
    expect(requests.map(rangeStart)).toEqual([CUT]);
    expect(await installedDigest(mended)).toBe(sha256(CONTENT));
  });

  it('stays when a source has a file of another size by now, and is gone on with from another one', async () => {
    const services = await testServices();
    const replaced = await site({ content: sampleBytes(1000, 9), etag: '"v2"' });
    await leavePartial(services.layout, { ...partial, source: replaced.url });
    await expect(
      pullManifest(services, await writeManifest([{ url: replaced.url, ...promised }]))
    ).rejects.toMatchObject({ code: 'size-mismatch' });
    const { url, requests } = await site();
    await pullManifest(services, await writeManifest([{ url, ...promised }]));
    expect(requests.map(rangeStart)).toEqual([CUT]);
    expect(await installedDigest(services)).toBe(sha256(CONTENT));
  });
});

describe('a partial that nobody goes on with', () => {
  it('is removed after two weeks, and not before', async () => {
    const services = await testServices();
    const { url } = await site({ cut: CUT });
    await cancelHalfWay(services, await writeManifest([{ url, sha256: sha256(CONTENT) }]));
    const [folder = ''] = await readdir(services.layout.partials);
    const journal = join(services.layout.partials, folder, 'journal');
    await utimes(journal, daysAgo(13), daysAgo(13));
    await cleanUpAfterCrashes(services);
    expect(await readdir(services.layout.partials)).toEqual([folder]);
    await utimes(journal, daysAgo(15), daysAgo(15));
    await cleanUpAfterCrashes(services);
    expect(await readdir(services.layout.partials)).toEqual([]);
  });
});

describe('a torn journal', () => {
  it('costs the bytes behind it and nothing else', async () => {
    const services = await testServices();
    const { url } = await site({ cut: CUT });
    const manifest = await writeManifest([{ url, sha256: sha256(CONTENT) }]);
    await cancelHalfWay(services, manifest);
    const [folder = ''] = await readdir(services.layout.partials);
    await writeFile(join(services.layout.partials, folder, 'journal'), '{"type":"boot","id":"x"}\n{"type":"beg');
    await pullManifest(services, manifest);
    expect(await installedDigest(services)).toBe(sha256(CONTENT));
  });
});

/** Makes a partial look as if it had come from another address: its key and its journal name the source. */
async function redirectPartial(services: TestServices, from: string, to: string): Promise<void> {
  const [folder = ''] = await readdir(services.layout.partials);
  const moved = folder.replace(partialKey(from), partialKey(to));
  await rename(join(services.layout.partials, folder), join(services.layout.partials, moved));
  const journal = join(services.layout.partials, moved, 'journal');
  const lines = (await readFile(journal, 'utf8')).trimEnd().split('\n');
  const moves = lines.map((line) => formatJournalLine(JSON.parse(line.slice(line.indexOf(' ')).replaceAll(from, to))));
  await writeFile(journal, moves.join(''));
}

function daysAgo(count: number): Date {
  return new Date(Date.now() - count * 24 * 3600 * 1000);
}

function fail(): never {
  throw new Error('the server got no second request');
}
