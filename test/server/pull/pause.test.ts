import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PullEvent } from '../../../shared/job-events';
import { type RawServer, rangeStart, respond, startRawServer } from '../../support/raw-http-server';
import { startCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import {
  cacheEntries,
  pullManifest,
  type TestServices,
  testServices,
  writeManifest
} from '../../support/test-services';

const CONTENT = sampleBytes(6_000_000);
const CUT = 4_000_000;
/** The pull is paused once it has more than this. */
const HALF_WAY = 2_000_000;

/** Serves ranges; the first answer stops at the cut and stays open. */
async function site(): Promise<RawServer & { readonly sockets: readonly Socket[] }> {
  const sockets: Socket[] = [];
  const server = await startRawServer((request, socket) => {
    sockets.push(socket);
    const start = rangeStart(request);
    const range = { 'Content-Range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` };
    const headers = { 'Content-Length': CONTENT.length - start, ETag: '"v1"', ...(start > 0 && range) };
    const end = request.count === 1 ? CUT : CONTENT.length;
    respond(socket, start > 0 ? 206 : 200, headers, CONTENT.subarray(start, end));
  });
  onTestFinished(() => server.close());
  return { ...server, sockets };
}

const isHalfWay = (event: PullEvent): boolean => event.type === 'file_progress' && event.receivedBytes > HALF_WAY;

interface PausedPull {
  readonly pulled: ReturnType<typeof pullManifest>;
  readonly events: readonly PullEvent[];
}

/** Pulls until some megabytes are there, and pauses. */
async function pauseHalfWay(services: TestServices, manifest: string, signal?: AbortSignal): Promise<PausedPull> {
  const events: PullEvent[] = [];
  const news = new EventEmitter();
  const paused = once(news, 'paused');
  const pulled = pullManifest(services, manifest, {
    ...(signal && { signal }),
    onEvent: (event) => {
      if (isHalfWay(event) && !events.some(isHalfWay)) services.runningPulls.pause('test-model');
      events.push(event);
      news.emit(event.type);
    }
  });
  await Promise.race([paused, pulled]);
  return { pulled, events };
}

describe('a paused pull', () => {
  it('closes its connection, keeps what it received, and goes on from there', async () => {
    const server = await site();
    const services = await testServices();
    const manifest = await writeManifest([{ url: `${server.origin}/w`, sha256: sha256(CONTENT) }]);
    const { pulled, events } = await pauseHalfWay(services, manifest);
    const [connection] = server.sockets;
    if (connection && !connection.closed) await once(connection, 'close');
    const partial = (await cacheEntries(services)).filter((path) => path.startsWith('.partial'));
    expect(partial.map((path) => path.split('/').at(-1))).toEqual(['data', 'journal']);
    const last = events.at(-1);
    expect(last).toMatchObject({ type: 'paused', model: 'test-model', totalBytes: CONTENT.length });
    const received = last?.type === 'paused' ? last.totalReceivedBytes : 0;
    expect(received).toBeGreaterThan(HALF_WAY);

    services.runningPulls.resume('TEST-MODEL');
    const { folder } = await pulled;
    expect(server.requests).toHaveLength(2);
    expect(rangeStart(server.requests[1] ?? fail())).toBe(received);
    expect(sha256(await readFile(join(folder, 'weights.gguf')))).toBe(sha256(CONTENT));
    const types = events.map(({ type }) => type);
    expect(types.indexOf('resumed')).toBe(types.indexOf('paused') + 1);
    expect(events.at(-1)).toMatchObject({ type: 'completed', transferredBytes: CONTENT.length });
  });

  it('can be cancelled, and leaves a partial that the next pull goes on with', async () => {
    const server = await site();
    const services = await testServices();
    const manifest = await writeManifest([{ url: `${server.origin}/w`, sha256: sha256(CONTENT) }]);
    const controller = new AbortController();
    const { pulled } = await pauseHalfWay(services, manifest, controller.signal);
    controller.abort();
    await expect(pulled).rejects.toMatchObject({ code: 'cancelled' });
    await pullManifest(services, manifest);
    expect(rangeStart(server.requests[1] ?? fail())).toBeGreaterThan(HALF_WAY);
  });

  it('leaves its content to others, and finds it complete when it is resumed', async () => {
    const server = await site();
    const services = await testServices();
    const manifest = await writeManifest([{ url: `${server.origin}/w`, sha256: sha256(CONTENT) }]);
    const { pulled } = await pauseHalfWay(services, manifest);
    const other = await testServices({ root: services.root });
    const finished = await pullManifest(other, manifest);
    expect(finished.events.at(-1)).toMatchObject({ type: 'completed' });
    services.runningPulls.resume('test-model');
    await pulled;
    expect(server.requests).toHaveLength(2);
  });
});

describe('a model that nobody pulls', () => {
  it.each(['pause', 'resume'] as const)('has nothing to %s', async (control) => {
    const { runningPulls } = await testServices();
    expect(() => runningPulls[control]('test-model')).toThrow(
      expect.objectContaining({ code: 'not-running', message: 'test-model is not being pulled.' })
    );
  });
});

describe.skipIf(process.platform === 'win32')('a command that is stopped as Ctrl-Z does, and continued', () => {
  it('goes on where it was although its connection died meanwhile', async () => {
    const server = await site();
    const manifest = await writeManifest([{ url: `${server.origin}/w`, sha256: sha256(CONTENT) }]);
    const { child, ended } = startCli(['pull', manifest, '--json'], { home: await temporaryFolder() });
    await new Promise<void>((done) => {
      child.stdout?.on('data', (chunk) => String(chunk).includes('file_progress') && done());
    });
    child.kill('SIGSTOP');
    for (const socket of server.sockets) socket.destroy();
    child.kill('SIGCONT');
    expect(await ended).toMatchObject({ status: 0 });
    expect(server.requests).toHaveLength(2);
    expect(rangeStart(server.requests[1] ?? fail())).toBeGreaterThan(0);
  });
});

function fail(): never {
  throw new Error('the server got no second request');
}
