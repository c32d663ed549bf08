import { once } from 'node:events';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { cleanUpAfterCrashes } from '../../../server/operations/clean-up/start-up';
import { listModels } from '../../../server/operations/models/list-models';
import { modelFromManifest } from '../../../server/operations/models/register-model';
import { discardPartial } from '../../../server/operations/pull/discard-partial';
import { respond, startRawServer } from '../../support/raw-http-server';
import { startCli } from '../../support/run-cli';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { pullManifest, type TestServices, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(6_000_000);
const SMALL = sampleBytes(1000, 3);
const DAY_MS = 24 * 3600 * 1000;

/** Serves a small file, and the beginning of a large one. */
async function site(): Promise<string> {
  const server = await startRawServer(({ path }, socket) => {
    if (path === '/small') respond(socket, 200, { 'Content-Length': SMALL.length }, SMALL);
    else respond(socket, 200, { 'Content-Length': CONTENT.length, ETag: '"v1"' }, CONTENT.subarray(0, 4_000_000));
  });
  onTestFinished(() => server.close());
  return server.origin;
}

async function manifestOf(origin: string, large: { sha256?: string } = { sha256: sha256(CONTENT) }): Promise<string> {
  return writeManifest([
    { url: `${origin}/small`, filename: 'small.gguf', sha256: sha256(SMALL), size_bytes: SMALL.length },
    { url: `${origin}/large`, filename: 'large.gguf', size_bytes: CONTENT.length, ...large }
  ]);
}

async function cancelHalfWay(services: TestServices, manifest: string): Promise<void> {
  const controller = new AbortController();
  const pulled = pullManifest(services, manifest, {
    signal: controller.signal,
    onEvent: (event) => {
      if (event.type === 'file_progress' && event.receivedBytes > 2_000_000) controller.abort();
    }
  });
  await expect(pulled).rejects.toMatchObject({ code: 'cancelled' });
}

describe('a pull that was not finished', () => {
  it.each([
    ['with a digest', { sha256: sha256(CONTENT) }],
    ['without one', {}]
  ])('is listed with what is here, %s', async (_, large) => {
    const services = await testServices();
    expect(await listModels(services)).toEqual([]);
    await cancelHalfWay(services, await manifestOf(await site(), large));
    const [model] = await listModels(services);
    expect(model).toMatchObject({ status: 'registered', unfinished: { kind: 'partial' } });
    const { receivedBytes, heldBytes } = model?.unfinished?.kind === 'partial' ? model.unfinished : expect.fail();
    expect(receivedBytes).toBeGreaterThan(2_000_000);
    expect(heldBytes).toBe(receivedBytes + SMALL.length);
  });

  it('is forgotten when that is wished, without the files that are complete', async () => {
    const services = await testServices();
    const manifest = await manifestOf(await site());
    await cancelHalfWay(services, manifest);
    await discardPartial(services, await modelFromManifest(manifest));
    expect(await readdir(services.layout.partials)).toEqual([]);
    const [model] = await listModels(services);
    expect(model).toMatchObject({ status: 'registered' });
    expect(model).not.toHaveProperty('unfinished');
    expect(
      await services.blobs.findProved(
        (await modelFromManifest(manifest)).manifest.files[0]?.sha256 ?? expect.fail(),
        new AbortController().signal
      )
    ).toBeDefined();
  });

  it('is said to be under way elsewhere while another process is at it', async () => {
    const services = await testServices();
    const manifest = await manifestOf(await site());
    const { child, ended } = startCli(['pull', manifest, '--json'], { home: services.root });
    let told = '';
    await new Promise<void>((done) => {
      child.stdout?.on('data', (chunk) => {
        told += String(chunk);
        if (/"file_progress"[^\n]*"large\.gguf"/.test(told)) done();
      });
    });
    expect(await listModels(services)).toMatchObject([{ unfinished: { kind: 'elsewhere' } }]);
    await discardPartial(services, await modelFromManifest(manifest));
    expect(await listModels(services)).toMatchObject([{ unfinished: { kind: 'elsewhere' } }]);
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await Promise.all([closed, ended]);
    const [model] = await listModels(services);
    expect(model?.unfinished?.kind).not.toBe('elsewhere');
  });
});

describe('what was received of an unfinished pull', () => {
  it.each([
    ['for two weeks when nobody says how long', {}, 13, 15],
    ['for as long as the editor says', { keepPartialsDays: 3 }, 2, 4],
    ['for as long as the environment says', { environment: { DIFFUSION_DOCK_KEEP_PARTIALS_DAYS: '30' } }, 29, 31]
  ])('is kept %s', async (_, options, kept, removed) => {
    const services = await testServices(options);
    await cancelHalfWay(services, await manifestOf(await site()));
    await ageBy(services, kept);
    await cleanUpAfterCrashes(services);
    expect(await readdir(services.layout.partials)).toHaveLength(1);
    await ageBy(services, removed);
    await cleanUpAfterCrashes(services);
    expect(await readdir(services.layout.partials)).toEqual([]);
  });

  it('is kept for ever with 0 days', async () => {
    const services = await testServices({ keepPartialsDays: 0 });
    await cancelHalfWay(services, await manifestOf(await site()));
    await ageBy(services, 80);
    await cleanUpAfterCrashes(services);
    expect(await readdir(services.layout.partials)).toHaveLength(1);
  });
});

async function ageBy({ layout }: TestServices, days: number): Promise<void> {
  const [folder = ''] = await readdir(layout.partials);
  const then = new Date(Date.now() - days * DAY_MS);
  await utimes(join(layout.partials, folder, 'journal'), then, then);
}
