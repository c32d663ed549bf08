import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../../server/platform/clock';
import { type RawRequest, respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

/** Large enough to be shared by connections: five pieces. */
const CONTENT = Buffer.concat(Array.from({ length: 16 }, (_, part) => sampleBytes(5 * 1024 * 1024, part + 1)));
const DIGEST = sha256(CONTENT);

/** Seconds pass with every look at the clock, so that the throughput seems to grow with the connections. */
function hurryingClock(): Clock {
  let elapsed = 0;
  return { now: () => Date.now(), elapsed: () => (elapsed += 40), sleep: () => Promise.resolve() };
}

interface Site {
  readonly url: string;
  readonly requests: readonly RawRequest[];
}

/** Serves ranges; `fault` may answer in its own way. */
async function site(
  fault: (request: RawRequest) => 'drop' | 'refuse' | 'whole' | undefined = () => undefined
): Promise<Site> {
  const server = await startRawServer((request, socket) => {
    const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers['range'] ?? '') ?? [];
    const kind = fault(request);
    const isPart = request.headers['range'] !== undefined && kind !== 'whole';
    const start = isPart ? Number(first) : 0;
    const end = isPart && last !== '' ? Number(last) + 1 : CONTENT.length;
    if (kind === 'refuse') {
      respond(socket, 503, { 'Content-Length': 0 });
      return;
    }
    const range = isPart && { 'Content-Range': `bytes ${start}-${end - 1}/${CONTENT.length}` };
    const headers = { 'Content-Length': end - start, 'Accept-Ranges': 'bytes', ETag: '"v1"', ...range };
    const body = CONTENT.subarray(start, kind === 'drop' ? start + (end - start) / 2 : end);
    respond(socket, isPart ? 206 : 200, headers, body);
    if (kind === 'drop') socket.end();
  });
  onTestFinished(() => server.close());
  return { url: `${server.origin}/weights.gguf`, requests: server.requests };
}

async function pulledDigest({ url }: Site): Promise<string> {
  const services = await testServices({ clock: hurryingClock() });
  const { folder } = await pullManifest(services, await writeManifest([{ url, sha256: DIGEST }]));
  return sha256(await readFile(join(folder, 'weights.gguf')));
}

describe('a large file', () => {
  it('is fetched by several connections when that pays, every byte once', async () => {
    const server = await site();
    expect(await pulledDigest(server)).toBe(DIGEST);
    const ranges = server.requests.flatMap(({ headers }) => headers['range'] ?? []);
    expect(ranges.length).toBeGreaterThan(1);
    expect(new Set(ranges).size).toBe(ranges.length);
    expect(server.requests.every(({ headers, count }) => count === 1 || headers['if-range'] === '"v1"')).toBe(true);
  });

  it.each([2, 3, 4])('survives a connection that breaks in request %d', async (broken) => {
    const server = await site(({ count }) => (count === broken ? 'drop' : undefined));
    expect(await pulledDigest(server)).toBe(DIGEST);
  });

  it('survives a server that refuses a second connection', async () => {
    const server = await site(({ headers, count }) =>
      headers['range'] !== undefined && count < 4 ? 'refuse' : undefined
    );
    expect(await pulledDigest(server)).toBe(DIGEST);
  });

  it('begins anew on one connection when the server ignores the range after all', async () => {
    const server = await site(({ headers }) => (headers['range'] === undefined ? undefined : 'whole'));
    await expect(pulledDigest(server)).resolves.toBe(DIGEST);
  });
});
