import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RequestBody } from '../../../server/pull/network/request-body';
import { FileFault } from '../../../server/pull/partial/landing';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { testServices } from '../../support/test-services';

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>
): Promise<URL> {
  // A request that is broken off is answered by nobody.
  const server = createServer((request, response) => void Promise.resolve(answer(request, response)).catch(ignore));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket/key`);
}

interface Received {
  readonly method: string | undefined;
  readonly length: string | undefined;
  readonly digest: string;
}

/** Answers every request with what was received of it. */
function echo(): Promise<URL> {
  return serve(async (request, response) => {
    const { method, headers } = request;
    const received: Received = {
      method,
      length: headers['content-length'],
      digest: sha256(await buffer(request))
    };
    response.end(JSON.stringify(received));
  });
}

async function sampleFile(bytes: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), 'weights.gguf');
  await writeFile(path, bytes);
  return path;
}

function ignore(): void {}

const signal = new AbortController().signal;

describe('a body that is sent', () => {
  it('is exactly the wanted part of a file, and is told while it goes out', async () => {
    const content = sampleBytes(9_000_000);
    const path = await sampleFile(content);
    const url = await echo();
    const { http } = await testServices();
    const sent: number[] = [];
    const body: RequestBody = { kind: 'file', path, start: 1_000_003, end: 8_500_001 };
    const answer = await http.send('PUT', url, {}, signal, { body, onSent: (bytes) => sent.push(bytes) });
    const received: Received = JSON.parse((await buffer(answer.body)).toString());
    expect(received).toEqual({
      method: 'PUT',
      length: '7499998',
      digest: sha256(content.subarray(1_000_003, 8_500_001))
    });
    expect(sent.length).toBeGreaterThan(5);
    expect(sent).toEqual(sent.toSorted((a, b) => a - b));
    expect(sent.at(-1)).toBe(7_499_998);
  });

  it.each(['PUT', 'POST'] as const)('may be bytes at hand, or none, with %s', async (method) => {
    const url = await echo();
    const { http } = await testServices();
    for (const bytes of [sampleBytes(700_000), new Uint8Array()]) {
      const answer = await http.send(method, url, {}, signal, { body: { kind: 'bytes', bytes } });
      const received: Received = JSON.parse((await buffer(answer.body)).toString());
      expect(received).toEqual({ method, length: `${bytes.length}`, digest: sha256(bytes) });
    }
  });

  it('several at once do not mix', async () => {
    const contents = [1, 2, 3, 4].map((seed) => sampleBytes(3_000_000 + seed));
    const url = await echo();
    const { http } = await testServices();
    const digests = await Promise.all(
      contents.map(async (content) => {
        const path = await sampleFile(content);
        const body: RequestBody = { kind: 'file', path, start: 0, end: content.length };
        const answer = await http.send('PUT', url, {}, signal, { body });
        const received: Received = JSON.parse((await buffer(answer.body)).toString());
        return received.digest;
      })
    );
    expect(digests).toEqual(contents.map((content) => sha256(content)));
  });

  it('and many others may hang on one signal, which is nothing to warn of', async () => {
    const url = await echo();
    const { http } = await testServices();
    const warned: Error[] = [];
    const note = (warning: Error): void => void warned.push(warning);
    process.on('warning', note);
    onTestFinished(() => void process.off('warning', note));
    const own = new AbortController().signal;
    const bodies = Array.from({ length: 20 }, (): RequestBody => ({ kind: 'bytes', bytes: sampleBytes(1000) }));
    const answers = await Promise.all(bodies.map((body) => http.send('PUT', url, {}, own, { body })));
    for (const answer of answers) answer.discard();
    await new Promise((done) => setImmediate(done));
    expect(warned).toEqual([]);
  });

  it('whose file is missing or too short ends the request with a fault of the file', async () => {
    const url = await echo();
    const { http } = await testServices();
    const path = await sampleFile(sampleBytes(200_000));
    for (const body of [
      { kind: 'file', path: `${path}.missing`, start: 0, end: 10 },
      { kind: 'file', path, start: 0, end: 300_000 }
    ] as const) {
      await expect(http.send('PUT', url, {}, signal, { body })).rejects.toBeInstanceOf(FileFault);
    }
  });

  it('that the server refuses early brings the answer of the server', async () => {
    const url = await serve((_, response) => {
      response.statusCode = 403;
      response.end('no');
    });
    const { http } = await testServices();
    const body: RequestBody = { kind: 'bytes', bytes: sampleBytes(100_000) };
    const answer = await http.send('PUT', url, {}, signal, { body });
    expect(answer.status).toBe(403);
    answer.discard();
  });

  it('that nobody takes counts as a server that does not answer', async () => {
    const server = createTcpServer((socket) => void socket.pause()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { http } = await testServices({ tuning: { stallMs: 300 } });
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const path = await sampleFile(sampleBytes(30_000_000));
    const body: RequestBody = { kind: 'file', path, start: 0, end: 30_000_000 };
    await expect(http.send('PUT', url, {}, signal, { body })).rejects.toMatchObject({
      code: 'UND_ERR_HEADERS_TIMEOUT'
    });
  });

  it('ends with its connection when the request is cancelled', async () => {
    const server = createTcpServer((socket) => void socket.pause()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { http } = await testServices();
    const controller = new AbortController();
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    const body: RequestBody = { kind: 'bytes', bytes: new Uint8Array(30_000_000) };
    const sent = http.send('PUT', url, {}, controller.signal, { body });
    const [socket] = await connected;
    controller.abort();
    await expect(sent).rejects.toThrow('cancelled');
    const closed = once(socket.on('error', () => undefined).resume(), 'close');
    await closed;
  });
});
