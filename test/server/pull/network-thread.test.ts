import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WORKER_SCRIPT } from '../../support/built-worker';
import { startFaultServer } from '../../support/fault-server';
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
});
