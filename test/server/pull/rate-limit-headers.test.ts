import { describe, expect, it, onTestFinished } from 'vitest';
import { modelFromManifest } from '../../../server/operations/models/register-model';
import { planModel } from '../../../server/operations/pull/pull-model';
import type { PullEvent } from '../../../shared/job-events';
import { type RawAnswer, respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(1000);

/** A clock that stands still except for its sleepers. */
function steppingClock() {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const sleeps: { readonly from: number; readonly until: number }[] = [];
  return {
    sleeps,
    now: () => now,
    elapsed: () => now,
    async sleep(milliseconds: number) {
      const from = now;
      const until = from + milliseconds;
      sleeps.push({ from, until });
      await new Promise((done) => setImmediate(done));
      now = Math.max(now, until);
    }
  };
}

/** Serves the content; the headers come with every answer but the last ones. Notes when it was asked. */
async function site(limited: number, headers: Record<string, string>, status = 200) {
  const clock = steppingClock();
  const askedAt: number[] = [];
  const answer: RawAnswer = (_, socket) => {
    askedAt.push(clock.now());
    const isLimited = askedAt.length <= limited;
    const isRefused = isLimited && status !== 200;
    const length = { 'Content-Length': isRefused ? 0 : 1000 };
    respond(socket, isRefused ? status : 200, { ...length, ...(isLimited && headers) }, isRefused ? '' : CONTENT);
  };
  const server = await startRawServer(answer, (_, socket) => {
    askedAt.push(clock.now());
    respond(socket, 405, { 'Content-Length': 0, ...(askedAt.length <= limited && headers) }, '');
  });
  onTestFinished(() => server.close());
  return { clock, askedAt, origin: server.origin, host: new URL(server.origin).host };
}

const HUB_HEADERS = { RateLimit: '"resolvers";r=0;t=40', 'RateLimit-Policy': '"resolvers";q=3000;w=300' };

describe('a server that has no request left for us', () => {
  it('is left alone as long as it says, although it answered', async () => {
    const { clock, askedAt, origin } = await site(1, HUB_HEADERS);
    const services = await testServices({ clock });
    const files = ['a', 'b'].map((filename) => ({ url: `${origin}/${filename}`, filename, size_bytes: 1000 }));
    await pullManifest(services, await writeManifest(files.map((file) => ({ ...file, sha256: sha256(CONTENT) }))));
    // The second file has the same content, so that only one request goes out; pull another model.
    const other = await writeManifest([{ url: `${origin}/c`, size_bytes: 1000 }], { name: 'other' });
    await pullManifest(services, other);
    const [first = 0, second = 0] = askedAt;
    expect(second - first).toBeGreaterThanOrEqual(40_000);
  });

  it('is left alone by the probes of a plan too', async () => {
    const { clock, askedAt, origin } = await site(1, HUB_HEADERS);
    const services = await testServices({ clock });
    await pullManifest(services, await writeManifest([{ url: `${origin}/a` }]));
    expect(askedAt).toHaveLength(2);
    expect((askedAt[1] ?? 0) - (askedAt[0] ?? 0)).toBeGreaterThanOrEqual(40_000);
  });

  it('is told of while a plan is made', async () => {
    const { clock, origin, host } = await site(1, HUB_HEADERS);
    const services = await testServices({ clock });
    const model = await modelFromManifest(await writeManifest([{ url: `${origin}/a`, sha256: sha256(CONTENT) }]));
    const events: PullEvent[] = [];
    const onEvent = (event: PullEvent): void => void events.push(event);
    for (const _ of [1, 2]) await planModel(services, model, new AbortController().signal, { onEvent });
    expect(events).toMatchObject([{ type: 'waiting', host, seconds: expect.closeTo(40, 0) }]);
  });

  it.each([429, 503])('and refuses with %d is asked again after that', async (status) => {
    const { clock, askedAt, origin } = await site(1, HUB_HEADERS, status);
    const services = await testServices({ clock });
    const manifest = await writeManifest([{ url: `${origin}/a`, sha256: sha256(CONTENT), size_bytes: 1000 }]);
    await pullManifest(services, manifest);
    expect((askedAt[1] ?? 0) - (askedAt[0] ?? 0)).toBeGreaterThanOrEqual(40_000);
  });

  it('holds up no other server', async () => {
    const limited = await site(1, HUB_HEADERS);
    const free = await site(0, {});
    const services = await testServices({ clock: limited.clock });
    await pullManifest(
      services,
      await writeManifest([{ url: `${limited.origin}/a`, size_bytes: 1000, sha256: sha256(CONTENT) }])
    );
    const other = sampleBytes(1000, 2);
    const before = limited.clock.sleeps.length;
    const manifest = await writeManifest([{ url: `${free.origin}/b`, size_bytes: 1000, sha256: sha256(other) }], {
      name: 'other'
    });
    await expect(pullManifest(services, manifest)).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(limited.clock.sleeps).toHaveLength(before);
  });

  it('is named to the user with the time to wait, once', async () => {
    const { clock, origin, host } = await site(1, HUB_HEADERS, 429);
    const services = await testServices({ clock });
    const manifest = await writeManifest([{ url: `${origin}/a`, sha256: sha256(CONTENT), size_bytes: 1000 }]);
    const { events } = await pullManifest(services, manifest);
    expect(events.filter(({ type }) => type === 'waiting')).toEqual([
      { type: 'waiting', model: 'test-model', host, seconds: 40 }
    ]);
  });
});
