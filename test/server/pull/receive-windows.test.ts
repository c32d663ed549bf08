import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { buildConnector, Client, type Dispatcher } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { endHoldingConnector } from '../../../server/pull/network/connection-end';
import { windowedConnector } from '../../../server/pull/network/receive-windows';
import { Random } from '../../support/random';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { makeCertificate, OPENSSL } from '../../support/servers/certificates';

/** Many times what all windows of a connection hold. */
const CONTENT = Buffer.concat(Array.from({ length: 12 }, (_, part) => sampleBytes(1024 * 1024, part + 1)));

/** What a record of TLS holds together with a head. */
const ONE_RECORD_BYTES = 15_000;

/**
 * How a site sends the content: in pieces of at most so many bytes; or only the beginning, and then ends, or resets the
 * connection some turns of the event loop later. Without any the system tells of a reset as of an end.
 */
type Sending = (() => number) | { readonly lastWords: string; readonly resetAfter?: number };

/** @param reset breaks the connection off, with all that is not sent yet */
async function send(socket: Socket, random: Random, sending: Sending, reset: () => unknown): Promise<void> {
  await once(socket, 'data');
  if (typeof sending !== 'function') {
    const words = Buffer.concat([Buffer.from(sending.lastWords), CONTENT.subarray(0, ONE_RECORD_BYTES)]);
    const { resetAfter } = sending;
    if (resetAfter === undefined) socket.end(words);
    else socket.write(words, () => void turns(resetAfter).then(reset));
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
    void send(socket, random, sending, () => socket.resetAndDestroy());
  });
  return originOf(server, 'http');
}

/** Of all sites: its files are gone with the test that made it. */
let ownCertificate: Promise<{ readonly cert: Buffer; readonly key: Buffer }> | undefined;

async function readOwnCertificate() {
  const { certificate, privateKey } = await makeCertificate('IP:127.0.0.1');
  return { cert: await readFile(certificate), key: await readFile(privateKey) };
}

/** The same over TLS. */
async function secureSite(random: Random, sending: Sending): Promise<string> {
  ownCertificate ??= readOwnCertificate();
  const server = createTlsServer(await ownCertificate, (socket) => {
    socket.on('error', () => undefined);
    void send(socket, random, sending, () => carriers.get(socket.remotePort)?.resetAndDestroy());
  });
  const carriers = new Map<number | undefined, Socket>();
  server.on('connection', (socket: Socket) => carriers.set(socket.remotePort, socket));
  return originOf(server, 'https');
}

/** Holds a connection up for some turns of the event loop. */
async function pauseFor(count: number, controller: Dispatcher.DispatchController): Promise<void> {
  controller.pause();
  await turns(count);
  controller.resume();
}

async function turns(count: number): Promise<void> {
  for (let at = 0; at <= count; at += 1) await turn();
}

/**
 * Receives the content.
 * @param share of the chunks that it pauses at
 * @returns the content, and how many chunks it came in
 */
async function receive(
  origin: string,
  random: Random,
  share = 0.1,
  connect = windowedConnector(buildConnector, { rejectUnauthorized: false })
): Promise<{ content: Buffer; chunks: number }> {
  const client = new Client(origin, { connect });
  onTestFinished(() => client.destroy());
  const received: Buffer[] = [];
  await new Promise<void>((resolve, reject) => {
    client.dispatch(
      { path: '/', method: 'GET' },
      {
        onRequestStart: () => undefined,
        onResponseStart: () => undefined,
        onResponseData(controller, chunk) {
          // Its memory is written over when it is read.
          received.push(Buffer.from(chunk));
          if (chunk.length > 0 && random.below(100) < share * 100) void pauseFor(random.below(30), controller);
        },
        onResponseEnd: () => resolve(),
        onResponseError: (_, error) => reject(error)
      }
    );
  });
  return { content: Buffer.concat(received), chunks: received.length };
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

  it.skipIf(!isHere)('are handed on as a few large chunks of what a fast server sends', async () => {
    const random = new Random(1);
    const { content, chunks } = await receive(await site(random, () => CONTENT.length), random, 0);
    expect(sha256(content)).toBe(sha256(CONTENT));
    // A chunk for each record of TLS would make 768.
    expect(chunks).toBeLessThan(400);
  });
});

const CLOSES = 'HTTP/1.1 200 OK\r\nConnection: close\r\n';
const WHOLE = `Content-Length: ${ONE_RECORD_BYTES}\r\n\r\n`;
const TOO_LONG = `Content-Length: ${ONE_RECORD_BYTES + 1}\r\n\r\n`;

const windows = () => windowedConnector(buildConnector, { rejectUnauthorized: false });
const plain = () => endHoldingConnector(buildConnector({ rejectUnauthorized: false }));

describe.each([
  { what: 'windows over TCP', connector: windows, site: plainSite, isHere: true },
  { what: 'windows over TLS', connector: windows, site: secureSite, isHere: OPENSSL !== undefined },
  { what: 'plain connections over TCP', connector: plain, site: plainSite, isHere: true },
  { what: 'plain connections over TLS', connector: plain, site: secureSite, isHere: OPENSSL !== undefined }
])('the end of $what', ({ connector, site, isHere }) => {
  /** Receives again and again, never paused, at each chunk, and at some. */
  async function receiveOften(sending: Sending, look: (received: ReturnType<typeof receive>) => Promise<void>) {
    const random = new Random(1);
    const origin = await site(random, sending);
    for (const share of [0, 1, 0.5]) {
      for (let round = 0; round < 5; round += 1) await look(receive(origin, random, share, connector()));
    }
  }

  it
    .skipIf(!isHere)
    .each([
      { lastWords: 'HTTP/1.1 200 OK\r\n\r\n' },
      { lastWords: `${CLOSES}\r\n` },
      { lastWords: `${CLOSES}${WHOLE}` },
      { lastWords: `${CLOSES}${WHOLE}`, resetAfter: 0 },
      { lastWords: `${CLOSES}${WHOLE}`, resetAfter: 15 },
      { lastWords: `HTTP/1.1 200 OK\r\n${WHOLE}`, resetAfter: 0 },
      { lastWords: `HTTP/1.1 200 OK\r\n${WHOLE}`, resetAfter: 15 }
    ])('leaves whole what came right before it, paused or not: %j', async (sending) => {
    await receiveOften(sending, async (received) => {
      const { content } = await received;
      expect(sha256(content)).toBe(sha256(CONTENT.subarray(0, ONE_RECORD_BYTES)));
    });
  });

  it.skipIf(!isHere).each([
    { lastWords: `${CLOSES}${TOO_LONG}` },
    { lastWords: `${CLOSES}${TOO_LONG}`, resetAfter: 0 },
    { lastWords: `${CLOSES}${TOO_LONG}`, resetAfter: 15 },
    { lastWords: `HTTP/1.1 200 OK\r\n${TOO_LONG}`, resetAfter: 15 },
    // A body that nothing else tells the end of.
    { lastWords: `${CLOSES}\r\n`, resetAfter: 15 }
  ])('is a fault where it comes too early, paused or not: %j', async (sending) => {
    await receiveOften(sending, (received) => expect(received.then(({ content }) => content.length)).rejects.toThrow());
  });
});
