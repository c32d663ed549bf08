import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../../server/platform/clock';
import { rangeStart, respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(200_000);

/** A clock on which time passes only while somebody waits. */
function standingClock() {
  const waits: number[] = [];
  const elapsed = (): number => waits.reduce((sum, wait) => sum + wait, 0);
  const clock: Clock = {
    now: () => Date.UTC(2030, 0, 1) + elapsed(),
    elapsed,
    async sleep(milliseconds) {
      waits.push(milliseconds);
      await new Promise((done) => setImmediate(done));
    }
  };
  return { clock, waits, elapsed };
}

/** Pulls from a server that refuses with these headers before it serves; tells how it was waited for. */
async function pullAfter(status: number, headers: Record<string, string>, times = 1) {
  const server = await startRawServer((request, socket) =>
    request.count <= times
      ? respond(socket, status, { 'Content-Length': 0, ...headers })
      : respond(socket, 200, { 'Content-Length': CONTENT.length }, CONTENT)
  );
  onTestFinished(() => server.close());
  const time = standingClock();
  const services = await testServices({ clock: time.clock });
  await pullManifest(services, await writeManifest([{ url: `${server.origin}/w`, sha256: sha256(CONTENT) }]));
  return time;
}

/** Those who wait together set out apart, by a tenth or a second at most. */
const spread = (wait: number): number => wait + Math.min(wait / 10, 1000);

const FIVE_MINUTES = 300_000;

describe('S30 a server that limits requests', () => {
  it.each([
    ['1', 1000, spread(1000)],
    ['0', 250, 500],
    ['-1', 250, 500],
    ['1e9', 250, 500],
    ['soon', 250, 500],
    ['', 250, 500],
    ['1000000000', FIVE_MINUTES, spread(FIVE_MINUTES)],
    ['Tue, 01 Jan 2030 00:01:00 GMT', 60_000, spread(60_000)],
    ['Fri, 31 Dec 2199 23:59:59 GMT', FIVE_MINUTES, spread(FIVE_MINUTES)],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 250, 500]
  ])('and says Retry-After: %s is asked again after %d to %d ms', async (retryAfter, least, most) => {
    for (const status of [429, 503]) {
      const { elapsed } = await pullAfter(status, { 'Retry-After': retryAfter });
      expect(elapsed()).toBeGreaterThanOrEqual(least);
      expect(elapsed()).toBeLessThanOrEqual(most);
    }
  });
});

describe('S31 a server that fails five times', () => {
  it('is waited for longer each time, and then asked once more', async () => {
    const { waits } = await pullAfter(503, {}, 5);
    const floors = [250, 500, 1000, 2000, 4000];
    expect(waits.length).toBe(5);
    for (const [index, floor] of floors.entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(floor);
      expect(waits[index]).toBeLessThanOrEqual(2 * floor);
    }
  });

  it('is waited for as well when it never tells how long its body is, which then begins anew', async () => {
    const server = await startRawServer((_, socket) => {
      respond(socket, 200, { 'Transfer-Encoding': 'chunked' }, 'ffff\r\n');
      socket.end(CONTENT.subarray(0, 1000));
    });
    onTestFinished(() => server.close());
    const services = await testServices();
    const manifest = await writeManifest([{ url: `${server.origin}/w`, sha256: sha256(CONTENT) }]);
    await expect(pullManifest(services, manifest)).rejects.toMatchObject({ code: 'network' });
    expect(services.clock.waits.length).toBeGreaterThanOrEqual(server.requests.length - 1);
  });

  it('each time that it has sent something counts anew', async () => {
    const size = 40_000;
    const server = await startRawServer((request, socket) => {
      const start = rangeStart(request);
      const isPart = start > 0;
      const range = isPart && { 'Content-Range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` };
      // Every other answer is an error; the others bring a piece and break.
      if (request.count % 2 === 0) respond(socket, 503, { 'Content-Length': 0 });
      else {
        const headers = { 'Content-Length': CONTENT.length - start, ...range };
        respond(socket, isPart ? 206 : 200, headers, CONTENT.subarray(start, start + size));
        if (start + size < CONTENT.length) socket.end();
      }
    });
    onTestFinished(() => server.close());
    const services = await testServices();
    await pullManifest(services, await writeManifest([{ url: `${server.origin}/w`, sha256: sha256(CONTENT) }]));
    expect(services.clock.waits.length).toBeGreaterThan(5);
  });
});
