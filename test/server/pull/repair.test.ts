import { chmod, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PullEvent } from '../../../shared/job-events';
import { type RawServer, respond, startRawServer } from '../../support/raw-http-server';
import { digestOf, snapshot } from '../../support/sample-bundle';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { cacheEntries, pullManifest, type TestFile, testServices, writeManifest } from '../../support/test-services';

const SIZE = 100_000;
const CONTENT = sampleBytes(1_050_000);
const DIGEST = sha256(CONTENT);

function piecesOf(content: Buffer): { size: number; sha256: string[] } {
  const starts = Array.from({ length: Math.ceil(content.length / SIZE) }, (_, index) => index * SIZE);
  return { size: SIZE, sha256: starts.map((start) => sha256(content.subarray(start, start + SIZE))) };
}

/** The content with one byte changed in each of these pieces. */
function damaged(...pieces: number[]): Buffer {
  const bytes = Buffer.from(CONTENT);
  for (const piece of pieces) bytes[piece * SIZE + 7]! ^= 1;
  return bytes;
}

interface Site extends RawServer {
  /** Ranges that were asked for, in order. */
  readonly ranges: () => (string | undefined)[];
}

/** Serves `first` to the first request and the right content to the others. */
async function serve({ first = CONTENT, later = CONTENT, ranges = true } = {}): Promise<Site> {
  const server = await startRawServer(({ headers, count }, socket) => {
    const content = count === 1 ? first : later;
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec((ranges && headers['range']) || '') ?? [];
    if (from === undefined) {
      respond(socket, 200, { 'Content-Length': content.length }, content);
      return;
    }
    const [start, end] = [Number(from), to ? Number(to) + 1 : content.length];
    const range = `bytes ${start}-${end - 1}/${content.length}`;
    respond(socket, 206, { 'Content-Length': end - start, 'Content-Range': range }, content.subarray(start, end));
  });
  onTestFinished(() => server.close());
  return { ...server, ranges: () => server.requests.map(({ headers }) => headers['range']) };
}

function manifestOf(site: RawServer, fields: Partial<TestFile> = { pieces: piecesOf(CONTENT) }): Promise<string> {
  return writeManifest([{ url: `${site.origin}/w`, sha256: DIGEST, size_bytes: CONTENT.length, ...fields }]);
}

type Services = Awaited<ReturnType<typeof testServices>>;

const installed = ({ root }: Services): string => join(root, 'models', 'test-model', 'weights.gguf');

function completed(events: readonly PullEvent[]): PullEvent | undefined {
  return events.find(({ type }) => type === 'file_completed');
}

async function expectRight(services: Services): Promise<void> {
  expect(sha256(await readFile(installed(services)))).toBe(DIGEST);
  expect((await cacheEntries(services)).filter((path) => path.startsWith('.partial'))).toEqual([]);
}

describe('a transfer that brought a wrong digest', () => {
  it('is mended by fetching only the damaged pieces', async () => {
    const site = await serve({ first: damaged(2, 3, 10) });
    const services = await testServices();
    const { events } = await pullManifest(services, await manifestOf(site));
    expect(site.ranges()).toEqual([undefined, 'bytes=200000-399999', 'bytes=1000000-']);
    expect(completed(events)).toMatchObject({ origin: 'repaired', transferredBytes: CONTENT.length + 250_000 });
    await expectRight(services);
  });

  it('is fetched whole again without a list of pieces', async () => {
    const site = await serve({ first: damaged(2) });
    const services = await testServices();
    const { events } = await pullManifest(services, await manifestOf(site, {}));
    expect(site.ranges()).toEqual([undefined, undefined]);
    expect(completed(events)).toMatchObject({ origin: 'transferred', transferredBytes: 2 * CONTENT.length });
    await expectRight(services);
  });

  it('is fetched whole again from a source that serves no parts', async () => {
    const site = await serve({ first: damaged(2), ranges: false });
    const services = await testServices();
    await pullManifest(services, await manifestOf(site));
    expect(site.requests).toHaveLength(3);
    await expectRight(services);
  });

  it('fails when the source has the damage too, and keeps what the pieces prove', async () => {
    const site = await serve({ first: damaged(2), later: damaged(2) });
    const services = await testServices();
    const manifest = await manifestOf(site);
    await expect(pullManifest(services, manifest)).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(site.ranges()).toEqual([undefined, 'bytes=200000-299999']);
    const good = await serve();
    await pullManifest(services, await manifestOf(good));
    expect(good.ranges()).toEqual(['bytes=200000-299999']);
    await expectRight(services);
  });

  it('fails when every piece is right but the whole is not, for then the manifest is wrong', async () => {
    const site = await serve({ first: damaged(1), later: damaged(1) });
    const services = await testServices();
    const manifest = await manifestOf(site, { pieces: piecesOf(damaged(1)) });
    await expect(pullManifest(services, manifest)).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect((await cacheEntries(services)).filter((path) => path.startsWith('.partial'))).toEqual([]);
  });
});

describe('a damaged copy on this machine', () => {
  it('that was installed is mended where it is damaged', async () => {
    const site = await serve();
    const services = await testServices();
    const manifest = await manifestOf(site);
    await pullManifest(services, manifest);
    await chmod(installed(services), 0o644);
    await writeFile(installed(services), damaged(4));
    const { events } = await pullManifest(services, manifest);
    expect(site.ranges()).toEqual([undefined, 'bytes=400000-499999']);
    expect(completed(events)).toMatchObject({ origin: 'repaired', transferredBytes: 100_000 });
    expect(events.at(-1)).toMatchObject({ type: 'completed', transferredBytes: 100_000 });
    await expectRight(services);
  });

  it('is mended also when only its installed file is left, cut short', async () => {
    const site = await serve();
    const services = await testServices();
    const manifest = await manifestOf(site);
    await pullManifest(services, manifest);
    await chmod(installed(services), 0o644);
    await truncate(installed(services), 930_000);
    const blob = services.layout.blob(digestOf(CONTENT));
    await mkdir(dirname(blob), { recursive: true });
    await pullManifest(services, manifest);
    expect(site.ranges()).toEqual([undefined, 'bytes=900000-']);
    await expectRight(services);
  });

  it('of the hub’s tools gives its right pieces, and stays as it was', async () => {
    const site = await serve();
    const cache = await temporaryFolder();
    const blobs = join(cache, 'models--owner--repo', 'blobs');
    await mkdir(blobs, { recursive: true });
    await writeFile(join(blobs, DIGEST), damaged(0, 9));
    const before = await snapshot(cache);
    const services = await testServices({ environment: { HF_HUB_CACHE: cache } });
    const { events } = await pullManifest(services, await manifestOf(site));
    expect(site.ranges()).toEqual(['bytes=0-99999', 'bytes=900000-999999']);
    expect(completed(events)).toMatchObject({ origin: 'repaired', transferredBytes: 200_000 });
    expect(await snapshot(cache)).toEqual(before);
    await expectRight(services);
  });

  it('does not put its own bytes over those that had arrived', async () => {
    const content = sampleBytes(4_000_000);
    const arrived = 3_050_000;
    const server = await startRawServer(({ headers, count }, socket) => {
      const range = headers['range'];
      const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
      const [start, end] = [Number(from), to ? Number(to) + 1 : content.length];
      const part = { 'Content-Range': `bytes ${start}-${end - 1}/${content.length}` };
      const head = { ETag: '"v1"', 'Content-Length': end - start, ...(range !== undefined && part) };
      respond(socket, range === undefined ? 200 : 206, head, content.subarray(start, count === 1 ? arrived : end));
    });
    onTestFinished(() => server.close());
    const cache = await temporaryFolder();
    const services = await testServices({ environment: { HF_HUB_CACHE: cache } });
    const declared = { sha256: sha256(content), size_bytes: content.length, pieces: piecesOf(content) };
    const manifest = await manifestOf(server, declared);
    const controller = new AbortController();
    const onEvent = (event: PullEvent): void => {
      if (event.type === 'file_progress' && event.receivedBytes > 0) controller.abort();
    };
    await expect(pullManifest(services, manifest, { signal: controller.signal, onEvent })).rejects.toMatchObject({
      code: 'cancelled'
    });
    // Wrong from the second piece to the one where the transfer stopped.
    const blobs = join(cache, 'models--owner--repo', 'blobs');
    await mkdir(blobs, { recursive: true });
    await writeFile(join(blobs, sha256(content)), Buffer.from(content).fill(0, SIZE, 31 * SIZE));
    await pullManifest(services, manifest);
    const ranges = server.requests.slice(1).map(({ headers }) => headers['range']);
    expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d{5,6}-3099999$/)]);
    expect(sha256(await readFile(installed(services)))).toBe(sha256(content));
  });

  it('of an earlier version gives the pieces that stayed the same', async () => {
    const [old, site] = [await serve({ first: damaged(5, 6) }), await serve()];
    const services = await testServices();
    const earlier = { sha256: sha256(damaged(5, 6)), pieces: piecesOf(damaged(5, 6)) };
    await pullManifest(services, await manifestOf(old, earlier));
    const before = await stat(services.layout.blob(digestOf(damaged(5, 6))));
    await pullManifest(services, await manifestOf(site));
    expect(site.ranges()).toEqual(['bytes=500000-699999']);
    const after = await stat(services.layout.blob(digestOf(damaged(5, 6))));
    expect({ ino: after.ino, mode: after.mode, mtime: after.mtimeMs }).toEqual({
      ino: before.ino,
      mode: before.mode,
      mtime: before.mtimeMs
    });
    await expectRight(services);
  });

  it('that is not to be mended, for it has no piece in common, is replaced', async () => {
    const site = await serve();
    const services = await testServices();
    const manifest = await manifestOf(site);
    await pullManifest(services, manifest);
    await chmod(installed(services), 0o644);
    await writeFile(installed(services), Buffer.alloc(CONTENT.length));
    const { events } = await pullManifest(services, manifest);
    expect(completed(events)).toMatchObject({ origin: 'transferred', transferredBytes: CONTENT.length });
    await expectRight(services);
    expect(await readdir(dirname(installed(services)))).toEqual(['manifest.json', 'weights.gguf']);
  });

  it('that was cut is replaced, also where the manifest does not tell the size', async () => {
    const site = await serve();
    const services = await testServices();
    const manifest = await writeManifest([{ url: `${site.origin}/w`, sha256: DIGEST }]);
    await pullManifest(services, manifest);
    await chmod(installed(services), 0o644);
    await truncate(installed(services), 1000);
    await pullManifest(services, manifest);
    await expectRight(services);
  });
});
