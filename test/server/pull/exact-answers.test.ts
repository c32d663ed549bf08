import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type RawAnswer, type RawServer, rangeStart, respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { cacheEntries, pullManifest, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(300_000);
const DIGEST = sha256(CONTENT);
const LENGTH = { 'Content-Length': CONTENT.length, ETag: '"v1"' };

async function serve(answer: RawAnswer): Promise<RawServer> {
  const server = await startRawServer(answer);
  onTestFinished(() => server.close());
  return server;
}

interface Declared {
  readonly sha256?: string;
  readonly size_bytes?: number;
}

/** Pulls one file from a server with these answers. */
async function pullFrom(answer: RawAnswer, declared: Declared = { sha256: DIGEST }) {
  const server = await serve(answer);
  const services = await testServices();
  const manifest = await writeManifest([{ url: `${server.origin}/weights.gguf?download=CANARY`, ...declared }]);
  return { server, services, manifest, pulled: pullManifest(services, manifest) };
}

/** Answers with the content from where the request wants it. */
function wholeOrRest(request: Parameters<RawAnswer>[0], socket: Parameters<RawAnswer>[1]): void {
  const start = rangeStart(request);
  const rest = CONTENT.subarray(start);
  const range = { 'Content-Range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` };
  respond(
    socket,
    start > 0 ? 206 : 200,
    { ETag: '"v1"', 'Content-Length': rest.length, ...(start > 0 && range) },
    rest
  );
}

describe('a server that answers as it should', () => {
  it('gives the exact bytes, asked for without encoding', async () => {
    const { server, pulled } = await pullFrom(wholeOrRest);
    const { folder, events } = await pulled;
    expect(sha256(await readFile(join(folder, 'weights.gguf')))).toBe(DIGEST);
    expect(server.requests[0]?.headers['accept-encoding']).toBe('identity');
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['started', 'file_started', 'file_progress', 'file_completed', 'completed'])
    );
    expect(events.at(-1)).toMatchObject({ type: 'completed', bytes: CONTENT.length, transferredBytes: CONTENT.length });
  });

  it('may send a chunked body without a length', async () => {
    const { pulled } = await pullFrom((_, socket) => {
      const size = CONTENT.length.toString(16);
      respond(socket, 200, { 'Transfer-Encoding': 'chunked' }, `${size}\r\n`);
      socket.write(CONTENT);
      socket.write('\r\n0\r\n\r\n');
    });
    await expect(pulled).resolves.toBeDefined();
  });

  it('may be empty', async () => {
    const { pulled } = await pullFrom((_, socket) => respond(socket, 200, { 'Content-Length': 0 }), {
      sha256: sha256(Buffer.alloc(0))
    });
    await expect(pulled).resolves.toMatchObject({ folder: expect.any(String) });
  });

  it('without a declared digest the arrived bytes are marked as observed', async () => {
    const { pulled } = await pullFrom(wholeOrRest, {});
    const { folder } = await pulled;
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    expect(manifest.files).toEqual([
      { path: 'weights.gguf', sha256: DIGEST, size_bytes: CONTENT.length, role: 'model', digest_origin: 'observed' }
    ]);
  });
});

describe('a connection that breaks', () => {
  it.each([
    ['half-way', CONTENT.length / 2, 'end'],
    ['by a reset half-way', CONTENT.length / 2, 'reset'],
    ['one byte before the end', CONTENT.length - 1, 'end']
  ])('%s is gone on with where it broke', async (_, sent, how) => {
    const { server, pulled, services } = await pullFrom((request, socket) => {
      if (request.count > 1) {
        wholeOrRest(request, socket);
        return;
      }
      respond(socket, 200, LENGTH, CONTENT.subarray(0, sent));
      setImmediate(() => (how === 'reset' ? socket.resetAndDestroy() : socket.end()));
    });
    const { folder } = await pulled;
    expect(sha256(await readFile(join(folder, 'weights.gguf')))).toBe(DIGEST);
    expect(server.requests.length).toBe(2);
    expect(services.clock.waits.length).toBe(1);
  });

  it('is given up after five attempts without a new byte, and what arrived is gone on with later', async () => {
    const large = sampleBytes(4_000_000);
    const server = await serve((request, socket) => {
      const head = { 'Content-Length': large.length };
      if (request.count === 1) respond(socket, 200, head, large.subarray(0, 3_000_000));
      socket.end();
    });
    const services = await testServices();
    const url = `${server.origin}/weights.gguf`;
    const pulled = pullManifest(services, await writeManifest([{ url, sha256: sha256(large) }]));
    await expect(pulled).rejects.toMatchObject({ code: 'network', nextStep: expect.stringContaining('kept') });
    expect(server.requests.length).toBeLessThanOrEqual(6);

    const healthy = await serve((request, socket) => {
      const start = rangeStart(request);
      const range = { 'Content-Range': `bytes ${start}-${large.length - 1}/${large.length}` };
      respond(socket, 206, { 'Content-Length': large.length - start, ...range }, large.subarray(start));
    });
    const mirror = await writeManifest([{ url: `${healthy.origin}/weights.gguf`, sha256: sha256(large) }]);
    const { events } = await pullManifest(services, mirror);
    const resumedFrom = rangeStart(healthy.requests[0] ?? fail());
    expect(resumedFrom).toBeGreaterThan(1_000_000);
    expect(events.at(-1)).toMatchObject({ transferredBytes: large.length - resumedFrom });
    expect(events).toContainEqual(expect.objectContaining({ type: 'file_completed', origin: 'resumed' }));
    expect((await cacheEntries(services)).filter((path) => path.startsWith('.partial'))).toEqual([]);
  });

  it('with a server error is tried again after what Retry-After says', async () => {
    const { pulled, services } = await pullFrom((request, socket) => {
      if (request.count === 1) respond(socket, 503, { 'Retry-After': 7, 'Content-Length': 0 });
      else wholeOrRest(request, socket);
    });
    await pulled;
    const [wait, ...others] = services.clock.waits;
    expect(others).toEqual([]);
    expect(wait).toBeGreaterThan(6000);
    expect(wait).toBeLessThanOrEqual(8000);
  });

  it('with a Retry-After beyond all reason waits five minutes at most', async () => {
    const { pulled, services } = await pullFrom((request, socket) => {
      if (request.count === 1) respond(socket, 429, { 'Retry-After': '1000000000', 'Content-Length': 0 });
      else wholeOrRest(request, socket);
    });
    await pulled;
    const [wait, ...others] = services.clock.waits;
    expect(others).toEqual([]);
    expect(wait).toBeGreaterThan(299_000);
    expect(wait).toBeLessThanOrEqual(301_000);
  });
});

describe('an answer that is not what was asked for is refused with the reason', () => {
  const cases: readonly [string, RawAnswer, Declared, string, RegExp][] = [
    [
      'a length other than the manifest says',
      wholeOrRest,
      { size_bytes: 5 },
      'size-mismatch',
      /300000 bytes, the manifest says 5/
    ],
    [
      'a web page',
      (_, socket) =>
        respond(socket, 200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Length': 6 }, '<html>'),
      {},
      'bad-response',
      /web page/
    ],
    [
      'a web page that nobody calls one',
      (_, socket) => {
        const page = '\n<!-- sign in -->\n<!DOCTYPE html>\n<html><title>Sign in</title></html>';
        respond(socket, 200, { 'Content-Type': 'application/octet-stream', 'Content-Length': page.length }, page);
      },
      {},
      'bad-response',
      /web page/
    ],
    [
      'an encoding',
      (_, socket) => respond(socket, 200, { 'Content-Encoding': 'gzip' }, gzipSync(CONTENT)),
      {},
      'bad-response',
      /gzip/
    ],
    [
      'an unsolicited part',
      (_, socket) =>
        respond(socket, 206, { 'Content-Range': 'bytes 0-9/300000', 'Content-Length': 10 }, CONTENT.subarray(0, 10)),
      {},
      'bad-response',
      /a part of the file/
    ],
    [
      'a body without a length that just closes',
      (_, socket) => {
        respond(socket, 200, {}, CONTENT);
        socket.end();
      },
      {},
      'bad-response',
      /without saying how long/
    ],
    [
      'an impossible length',
      (_, socket) => respond(socket, 200, { 'Content-Length': '9999999999999999999' }),
      {},
      'bad-response',
      /./
    ],
    ['an empty answer', (_, socket) => respond(socket, 204, {}), {}, 'http-status', /status 204/],
    ['a login', (_, socket) => respond(socket, 401, { 'Content-Length': 0 }), {}, 'http-status', /status 401/],
    ['a refusal', (_, socket) => respond(socket, 403, { 'Content-Length': 0 }), {}, 'http-status', /status 403/],
    ['nothing there', (_, socket) => respond(socket, 404, { 'Content-Length': 0 }), {}, 'http-status', /status 404/],
    [
      'a redirect to nowhere',
      (_, socket) => respond(socket, 302, { 'Content-Length': 0 }),
      {},
      'bad-response',
      /without saying where/
    ],
    [
      'a redirect in circles',
      (_, socket) => respond(socket, 302, { Location: '/again', 'Content-Length': 0 }),
      {},
      'bad-response',
      /more than 10 times/
    ],
    [
      'a redirect to a file',
      (_, socket) => respond(socket, 302, { Location: 'file:///etc/passwd', 'Content-Length': 0 }),
      {},
      'refused-address',
      /./
    ],
    [
      'a redirect to a link-local host',
      (_, socket) => respond(socket, 302, { Location: 'http://169.254.169.254/', 'Content-Length': 0 }),
      {},
      'refused-address',
      /169\.254/
    ]
  ];

  it.each(cases)('%s', async (_, answer, declared, code, message) => {
    const { server, pulled, services } = await pullFrom(answer, declared);
    const failure = await pulled.then(
      () => undefined,
      (error: unknown) => error
    );
    expect(failure).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(JSON.stringify(failure) + services.logged.join('\n')).not.toContain('CANARY');
    expect(server.requests.length).toBeLessThanOrEqual(11);
    expect(await cacheEntries(services)).toEqual([]);
  });

  it('an endless body is stopped at the promised size', async () => {
    const { pulled, services } = await pullFrom(
      (_, socket) => {
        respond(socket, 200, { 'Transfer-Encoding': 'chunked' });
        const piece = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000), Buffer.from('\r\n')]);
        const more = (): void => {
          while (!socket.destroyed && socket.write(piece));
        };
        socket.on('drain', more);
        more();
      },
      { size_bytes: CONTENT.length }
    );
    await expect(pulled).rejects.toMatchObject({
      code: 'size-mismatch',
      message: expect.stringMatching(/more than the 300000/)
    });
    expect(await cacheEntries(services)).toEqual([]);
  });

  it('leaves no file open behind a refusal', async () => {
    const { pulled, services } = await pullFrom(wholeOrRest, { size_bytes: 5 });
    await expect(pulled).rejects.toMatchObject({ code: 'size-mismatch' });
    await services.pool.dispose();
    const open = await readdir('/proc/self/fd').catch(() => []);
    const targets = await Promise.all(open.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
    expect(targets.filter((target) => target.includes(services.root))).toEqual([]);
  });

  it('wrong bytes of the right size are fetched once more and then refused', async () => {
    const { server, pulled, services } = await pullFrom((_, socket) =>
      respond(socket, 200, LENGTH, sampleBytes(CONTENT.length, 99))
    );
    await expect(pulled).rejects.toMatchObject({ code: 'digest-mismatch', nextStep: expect.stringContaining(DIGEST) });
    expect(server.requests.length).toBe(2);
    expect(await cacheEntries(services)).toEqual([]);
  });

  it('wrong bytes that are right the second time are installed', async () => {
    const { pulled } = await pullFrom((request, socket) =>
      respond(socket, 200, LENGTH, request.count === 1 ? sampleBytes(CONTENT.length, 99) : CONTENT)
    );
    await expect(pulled).resolves.toBeDefined();
  });
});

function fail(): never {
  throw new Error('the server got no request');
}
