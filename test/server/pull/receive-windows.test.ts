import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { buildConnector, Client, type Dispatcher } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { windowedConnector } from '../../../server/pull/receive-windows';
import { Random } from '../../support/random';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { makeCertificate, OPENSSL } from '../../support/servers/certificates';

/** Many times what all windows of a connection hold. */
const CONTENT = Buffer.concat(Array.from({ length: 12 }, (_, part) => sampleBytes(1024 * 1024, part + 1)));

/** What a record of TLS holds together with a head. */
const ONE_RECORD_BYTES = 15_000;

/** How a site sends the content: in pieces of at most so many bytes; or only the beginning, and no more. */
type Sending = (() => number) | { readonly lastWords: string };

async function send(socket: Socket, random: Random, sending: Sending): Promise<void> {
  await once(socket, 'data');
  if (typeof sending !== 'function') {
    socket.end(Buffer.concat([Buffer.from(sending.lastWords), CONTENT.subarray(0, ONE_RECORD_BYTES)]));
    return;
  }
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${CONTENT.length}\r\n\r\n`);
  for (let start = 0; start < CONTENT.length; ) {
    const end = start + 1 + random.below(sending());
    if (!socket.write(CONTENT.subarray(start, end))) await once(socket, 'drain');
    // So that many small reads wait while the client is held up.
    await turn();
    start = end;
  }
}

async function originOf(server: Server, scheme: 'http' | 'https'): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Sends the content in pieces as it is told. */
function plainSite(random: Random, sending: Sending): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    void send(socket, random, sending);
  });
  return originOf(server, 'http');
}

/** The same over TLS. */
async function secureSite(random: Random, sending: Sending): Promise<string> {
  const { certificate, privateKey } = await makeCertificate('IP:127.0.0.1');
  const server = createTlsServer({ cert: await readFile(certificate), key: await readFile(privateKey) }, (socket) => {
    socket.on('error', () => undefined);
    void send(socket, random, sending);
  });
  return originOf(server, 'https');
}

/** Holds a connection up for some turns of the event loop. */
async function pauseFor(turns: number, controller: Dispatcher.DispatchController): Promise<void> {
  controller.pause();
  for (let count = 0; count <= turns; count += 1) await turn();
  controller.resume();
}

/**
 * Receives the content.
 * @param share of the chunks that it pauses at
 * @returns the content, and how many chunks it came in
 */
async function receive(origin: string, random: Random, share = 0.1): Promise<{ content: Buffer; chunks: number }> {
  const connect = windowedConnector(buildConnector, { rejectUnauthorized: false });
  const client = new Client(origin, { connect });
  onTestFinished(() => client.destroy());
  const received = Buffer.alloc(CONTENT.length);
  let bytes = 0;
  let chunks = 0;
  await new Promise<void>((resolve, reject) => {
    client.dispatch(
      { path: '/', method: 'GET' },
      {
        onRequestStart: () => undefined,
        onResponseStart: () => undefined,
        onResponseData(controller, chunk) {
          chunks += 1;
          bytes += chunk.copy(received, bytes);
          if (chunk.length > 0 && random.below(100) < share * 100) void pauseFor(random.below(30), controller);
        },
        onResponseEnd: () => resolve(),
        onResponseError: (_, error) => reject(error)
      }
    );
  });
  return { content: received.subarray(0, bytes), chunks };
}

const SEEDS = Array.from({ length: 20 }, (_, at) => at + 1);

describe.each([
  { over: 'TCP', site: plainSite, isHere: true },
  { over: 'TLS', site: secureSite, isHere: OPENSSL !== undefined }
])('windows that are used over and over, over $over', ({ site, isHere }) => {
  it.skipIf(!isHere).each(SEEDS)('never mix up bytes, paused at any moment (seed %d)', async (seed) => {
    const random = new Random(seed);
    const most = (): number => random.pick([100, 20_000, 20_000, 100_000, 700_000]);
    const { content } = await receive(await site(random, most), random);
    expect(content.length).toBe(CONTENT.length);
    expect(sha256(content)).toBe(sha256(CONTENT));
  });

  const heads = [
    'HTTP/1.1 200 OK\r\n\r\n',
    'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n',
    `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${ONE_RECORD_BYTES}\r\n\r\n`
  ];
  it.skipIf(!isHere).each(heads)(
    'hand on what came right before a connection ended, paused or not: %j',
    async (head) => {
      const random = new Random(1);
      for (const share of [0, 1, 0.5]) {
        for (let round = 0; round < 5; round += 1) {
          const { content } = await receive(await site(random, { lastWords: head }), random, share);
          expect(sha256(content)).toBe(sha256(CONTENT.subarray(0, ONE_RECORD_BYTES)));
        }
      }
    }
  );

  it.skipIf(!isHere)('are handed on as a few large chunks of what a fast server sends', async () => {
    const random = new Random(1);
    const { content, chunks } = await receive(await site(random, () => CONTENT.length), random, 0);
    expect(sha256(content)).toBe(sha256(CONTENT));
    // A chunk for each record of TLS would make 768.
    expect(chunks).toBeLessThan(400);
  });
});
