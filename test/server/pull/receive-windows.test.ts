import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { buildConnector, Client, type Dispatcher } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import { windowedConnector } from '../../../server/pull/receive-windows';
import { Random } from '../../support/random';
import { sampleBytes, sha256 } from '../../support/sample-bytes';

/** Many times what all windows of a connection hold. */
const CONTENT = Buffer.concat(Array.from({ length: 12 }, (_, part) => sampleBytes(1024 * 1024, part + 1)));

/** Sends the content in pieces of any size, tiny ones too. */
async function fragmentingSite(random: Random): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    void send(socket, random);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function send(socket: Socket, random: Random): Promise<void> {
  await once(socket, 'data');
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${CONTENT.length}\r\n\r\n`);
  for (let start = 0; start < CONTENT.length; ) {
    const end = start + 1 + random.below(random.pick([100, 20_000, 20_000, 100_000]));
    if (!socket.write(CONTENT.subarray(start, end))) await once(socket, 'drain');
    // So that many small reads wait while the client is held up.
    await turn();
    start = end;
  }
}

/** Holds a connection up for some turns of the event loop. */
async function pauseFor(turns: number, controller: Dispatcher.DispatchController): Promise<void> {
  controller.pause();
  for (let count = 0; count <= turns; count += 1) await turn();
  controller.resume();
}

it.each(Array.from({ length: 20 }, (_, at) => at + 1))(
  'windows that are used over and over never mix up bytes, paused at any moment (seed %d)',
  async (seed) => {
    const random = new Random(seed);
    const client = new Client(await fragmentingSite(random), { connect: windowedConnector(buildConnector, {}) });
    onTestFinished(() => client.destroy());
    const received = Buffer.alloc(CONTENT.length);
    let bytes = 0;
    await new Promise<void>((resolve, reject) => {
      client.dispatch(
        { path: '/', method: 'GET' },
        {
          onRequestStart: () => undefined,
          onResponseStart: () => undefined,
          onResponseData(controller, chunk) {
            bytes += chunk.copy(received, bytes);
            if (random.below(10) === 0) void pauseFor(random.below(30), controller);
          },
          onResponseEnd: () => resolve(),
          onResponseError: (_, error) => reject(error)
        }
      );
    });
    expect(bytes).toBe(CONTENT.length);
    expect(sha256(received)).toBe(sha256(CONTENT));
  }
);
