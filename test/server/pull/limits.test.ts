import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CommandInput } from '../../../server/cli/command';
import { limitsOf } from '../../../server/cli/options/limit-options';
import { createHttpClient } from '../../../server/pull/http/http-client';
import { TransferLimiter } from '../../../server/pull/http/transfer-limiter';
import { systemResolver } from '../../../server/pull/network/guarded-connection';
import { proxySettings } from '../../../server/pull/network/proxy';
import { ManifestsInView, PullModel, PullProgressed, TransferLimitsChanged } from '../../../shared/protocol';
import { WORKER_SCRIPT } from '../../support/built-worker';
import { runCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { testConnection } from '../../support/test-connection';
import { writeManifest } from '../../support/test-services';

const MIB = 1024 * 1024;
const CONTENT = sampleBytes(MIB);

/** Serves the content over and over, and counts what it could get rid of. */
async function site(repeats: number): Promise<{ url: URL; sent: () => number }> {
  let sent = 0;
  const server = createServer((_, answer) => {
    answer.writeHead(200, { 'Content-Length': repeats * MIB, 'Accept-Ranges': 'bytes' });
    const send = (rest: number): void => {
      if (rest === 0) {
        answer.end();
        return;
      }
      sent += MIB;
      if (answer.write(CONTENT)) setImmediate(send, rest - 1);
      else answer.once('drain', () => send(rest - 1));
    };
    send(repeats);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/w`);
  return { url, sent: () => sent };
}

describe('a rate limit', () => {
  it('makes the server wait instead of gathering what it sends', async () => {
    const { url, sent } = await site(256);
    let now = 0;
    const clock = {
      now: () => now,
      elapsed: () => now,
      async sleep(milliseconds: number) {
        now += milliseconds;
        // The server gets every chance to send while we wait.
        for (let turn = 0; turn < 3; turn += 1) await new Promise((done) => setImmediate(done));
      }
    };
    const client = createHttpClient({
      proxy: proxySettings({}),
      policy: { allowInsecureHttp: false, allowPrivateHosts: false },
      resolveHost: systemResolver,
      authorities: { caFile: undefined, useSystem: false, environment: {} },
      limits: { connectMs: 15_000, stallMs: 30_000, stallBytes: 1 },
      workerScript: WORKER_SCRIPT,
      clock,
      limiter: new TransferLimiter(clock, { bytesPerSecond: 1_000_000, connections: 1 })
    });
    onTestFinished(() => client.close());
    const answer = await client.send('GET', url, {}, new AbortController().signal);
    let received = 0;
    for await (const { length } of answer.body) {
      received += length;
      // What the buffers of two sockets and a stream hold, and no more.
      expect(sent() - received).toBeLessThan(48 * MIB);
      if (received > 64 * MIB) break;
    }
    expect(now).toBeGreaterThan(60_000);
  });

  it('that the editor lifts ends for a pull under way', async () => {
    const { url } = await site(1);
    const server = await testConnection();
    await server.start({ limits: { bytesPerSecond: 100, connections: 8 } });
    const manifest = await writeManifest([{ url: url.href, sha256: sha256(CONTENT), size_bytes: MIB }]);
    await server.client.sendNotification(ManifestsInView, { uris: [pathToFileURL(manifest).href] });
    server.client.onNotification(PullProgressed, ({ type }) => {
      if (type !== 'file_started') return;
      void server.client.sendNotification(TransferLimitsChanged, { bytesPerSecond: 0, connections: 8 });
    });
    // At 100 bytes a second it would take three hours.
    expect(await server.client.sendRequest(PullModel, { name: 'test-model' })).toMatchObject({ bytes: MIB });
  });

  it('that makes no sense changes nothing', async () => {
    const { url } = await site(1);
    const server = await testConnection();
    await server.start();
    await server.client.sendNotification(TransferLimitsChanged.method, { bytesPerSecond: -1, connections: 99 });
    const manifest = await writeManifest([{ url: url.href, sha256: sha256(CONTENT) }]);
    await server.client.sendNotification(ManifestsInView, { uris: [pathToFileURL(manifest).href] });
    expect(await server.client.sendRequest(PullModel, { name: 'test-model' })).toMatchObject({ bytes: MIB });
  });
});

/** What the command line gives for these options. */
function given(options: Readonly<Record<string, string>>): CommandInput {
  return { names: [], text: (option) => options[option], texts: () => [], flag: () => false };
}

describe('pull on the command line', () => {
  it.each([
    ['5M', 5_000_000],
    ['500k', 500_000],
    ['1.5g', 1_500_000_000],
    ['2000000', 2_000_000],
    ['0', 0]
  ])('reads --rate-limit %s', (text, bytesPerSecond) => {
    expect(limitsOf(given({ 'rate-limit': text, connections: '2' }))).toEqual({ bytesPerSecond, connections: 2 });
  });

  it.each([
    ['rate-limit', 'fast', '500k or 5M'],
    ['rate-limit', '-1', '500k or 5M'],
    ['rate-limit', '5T', '500k or 5M'],
    ['rate-limit', '', '500k or 5M'],
    ['connections', '0', 'from 1 to 16'],
    ['connections', '17', 'from 1 to 16'],
    ['connections', 'many', 'from 1 to 16']
  ])('refuses --%s %j and says what it takes', (option, value, hint) => {
    expect(() => limitsOf(given({ [option]: value }))).toThrow(
      expect.objectContaining({ code: 'wrong-usage', message: expect.stringContaining(hint) })
    );
  });

  it('keeps to a limit that it was given', async () => {
    const { url } = await site(1);
    const manifest = await writeManifest([{ url: url.href, sha256: sha256(CONTENT) }]);
    const home = await temporaryFolder();
    const started = performance.now();
    const pulled = await runCli(['pull', manifest, '--rate-limit', '800k', '--connections', '2'], { home });
    expect(pulled).toMatchObject({ status: 0 });
    expect(performance.now() - started).toBeGreaterThan(1000);
  });
});
