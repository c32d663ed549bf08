import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WORKER_SCRIPT } from '../../support/built-worker';
import { startFaultServer } from '../../support/fault-server';
import { respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

/** A worker that dies once, in the middle of a body. */
async function workerThatDiesOnce(): Promise<string> {
  const folder = await temporaryFolder();
  const mark = JSON.stringify(join(folder, 'died'));
  const script = join(folder, 'worker.cjs');
  await writeFile(
    script,
    `const { existsSync, writeFileSync } = require('node:fs');
    require(${JSON.stringify(WORKER_SCRIPT)});
    require('node:worker_threads').parentPort.on('message', ({ type }) => {
      if (type !== 'next' || existsSync(${mark})) return;
      writeFileSync(${mark}, '');
      throw new Error('a bug');
    });`
  );
  return script;
}

async function drained(chunks: AsyncIterator<unknown>): Promise<void> {
  for (let next = await chunks.next(); !next.done; next = await chunks.next());
}

describe('the network thread', () => {
  it('that dies is replaced, and the pull goes on', async () => {
    const content = sampleBytes(3_000_000);
    const server = await startFaultServer({ content });
    onTestFinished(() => server.close());
    const services = await testServices({ workerScript: await workerThatDiesOnce(), startNetwork: undefined });
    const manifest = await writeManifest([{ url: `${server.origin}/w`, sha256: sha256(content) }]);
    const { folder } = await pullManifest(services, manifest);
    expect(sha256(await readFile(join(folder, 'weights.gguf')))).toBe(sha256(content));
    expect(services.logged.join('\n')).toContain('a bug');
  });

  it('lets a request be cancelled whose server says nothing, and closes its connection', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { http } = await testServices({ startNetwork: undefined });
    const controller = new AbortController();
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const sent = http.send('GET', new URL(`http://127.0.0.1:${port}/w`), {}, controller.signal);
    const [socket] = await connected;
    const closed = once(socket.resume(), 'close');
    controller.abort();
    await expect(sent).rejects.toThrow('cancelled');
    await closed;
  });

  it.each(['directly', 'through a proxy'])(
    'outlives connections %s that are reset while their readers pause',
    async (way) => {
      const content = sampleBytes(1024 * 1024);
      const sockets = new Map<string, Socket>();
      const server = await startRawServer(({ path }, socket) => {
        const [beginning = ''] = /\d+$/.exec(path) ?? [];
        sockets.set(beginning, socket);
        respond(
          socket,
          200,
          { 'Content-Length': content.length, Connection: 'close' },
          content.subarray(0, Number(beginning))
        );
      });
      onTestFinished(() => server.close());
      const isDirect = way === 'directly';
      const { http } = await testServices({
        startNetwork: undefined,
        environment: isDirect ? {} : { HTTP_PROXY: server.origin },
        policy: { allowInsecureHttp: true, allowPrivateHosts: false }
      });
      const ask = (beginning: number) =>
        http.send(
          'GET',
          new URL(`/${beginning}`, isDirect ? server.origin : 'http://models.test'),
          {},
          new AbortController().signal
        );
      const bystander = await ask(0);
      // With some of these the reader pauses when all that came is taken, at others while more waits.
      const beginnings = Array.from({ length: 20 }, (_, at) => 96 * 1024 + at * 24 * 1024);
      const begun = await Promise.all(
        beginnings.map(async (beginning) => {
          const chunks = (await ask(beginning)).body[Symbol.asyncIterator]();
          await chunks.next();
          return chunks;
        })
      );
      for (const beginning of beginnings) sockets.get(String(beginning))?.resetAndDestroy();
      // Once this is answered, the thread has heard of all that happened before.
      (await ask(1)).discard();
      sockets.get('0')?.write(content);
      const received: Buffer[] = [];
      for await (const chunk of bystander.body) received.push(Buffer.from(chunk));
      expect(sha256(Buffer.concat(received))).toBe(sha256(content));
      for (const chunks of begun) await expect(drained(chunks)).rejects.toThrow();
    }
  );

  it('notices as soon as without one that a server behind a proxy says nothing', async () => {
    const server = await startRawServer(() => undefined);
    onTestFinished(() => server.close());
    const { http } = await testServices({
      environment: { HTTP_PROXY: server.origin },
      policy: { allowInsecureHttp: true, allowPrivateHosts: false },
      tuning: { stallMs: 300 }
    });
    const { signal } = new AbortController();
    await expect(http.send('GET', new URL('http://models.test/w'), {}, signal)).rejects.toMatchObject({
      code: 'UND_ERR_HEADERS_TIMEOUT'
    });
  });
});
