import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CancellationTokenSource } from 'vscode-languageserver/node';
import {
  DropModel,
  Generate,
  ListModels,
  ManifestsInView,
  ModelsChanged,
  PausePull,
  PlanPull,
  PullModel,
  PullProgressed,
  ResumePull,
  TrustGranted,
  VerifyModel
} from '../../../shared/protocol';
import { respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { createModelFolder } from '../../support/stand-in/testing/model-folder';
import { temporaryFolder } from '../../support/temporary-folder';
import { type TestConnection, testConnection } from '../../support/test-connection';
import { writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(50_000);

async function modelSite(stallAfter = CONTENT.length): Promise<string> {
  const server = await startRawServer((_, socket) =>
    respond(socket, 200, { 'Content-Length': CONTENT.length }, CONTENT.subarray(0, stallAfter))
  );
  onTestFinished(() => server.close());
  return `${server.origin}/weights.gguf`;
}

async function inView(server: TestConnection, manifest: string): Promise<void> {
  await server.client.sendNotification(ManifestsInView, { uris: [pathToFileURL(manifest).href] });
}

describe('a model in the workspace', () => {
  it('is known to whoever asks while the workspace is still searched', async () => {
    const server = await testConnection();
    const workspace = await temporaryFolder();
    for (let number = 0; number < 300; number += 1)
      await mkdir(join(workspace, `${number}`, 'art'), { recursive: true });
    const manifest = await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]);
    await copyFile(manifest, join(workspace, '299', 'art', 'manifest.json'));
    await server.start({}, {}, workspace);
    expect(await server.client.sendRequest(PullModel, { name: 'test-model' })).toMatchObject({ bytes: CONTENT.length });
  });

  it('is listed, pulled, verified and dropped, with its status at every step', async () => {
    const server = await testConnection();
    await server.start();
    await inView(server, await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]));
    const status = async (): Promise<unknown> =>
      (await server.client.sendRequest(ListModels)).map((model) => model.status);
    expect(await status()).toEqual(['registered']);

    const events: string[] = [];
    server.client.onNotification(PullProgressed, ({ type }) => void events.push(type));
    const pulled = await server.client.sendRequest(PullModel, { name: 'test-model' });
    expect(pulled).toEqual({ model: 'test-model', bytes: CONTENT.length, transferredBytes: CONTENT.length });
    expect([events[0], events.at(-1)]).toEqual(['started', 'completed']);
    expect(await status()).toEqual(['installed']);

    const report = await server.client.sendRequest(VerifyModel, { name: 'test-model', depth: 'deep' });
    expect(report).toMatchObject({ healthy: true, files: [{ path: 'weights.gguf', verdict: 'verified' }] });
    await server.client.sendRequest(DropModel, { name: 'TEST-MODEL' });
    expect(await status()).toEqual(['registered']);
  });

  it('is outdated when its manifest asks for something else than what is installed', async () => {
    const server = await testConnection();
    await server.start();
    const url = await modelSite();
    const manifest = await writeManifest([{ url, sha256: sha256(CONTENT) }]);
    await inView(server, manifest);
    await server.client.sendRequest(PullModel, { name: 'test-model' });
    const changed = { role: 'model', url, filename: 'weights.gguf', sha256: sha256(Buffer.from('new')) };
    await writeFile(manifest, JSON.stringify({ name: 'test-model', files: [changed] }));
    expect(await server.client.sendRequest(ListModels)).toMatchObject([{ status: 'outdated' }]);
    const generated = server.client.sendRequest(Generate, { name: 'test-model', request: { prompt: 'x' } });
    await expect(generated).rejects.toMatchObject({ data: { code: 'outdated-model' } });
  });

  it('is listed with what is wrong with its manifest, and as itself once that is corrected', async () => {
    const server = await testConnection();
    await server.start();
    const listed = async () => server.client.sendRequest(ListModels);
    const good = { url: 'https://example.com/w', sha256: sha256(CONTENT) };
    const [manifest, other] = [await writeManifest([{ ...good, sha256: 'abc' }]), await writeManifest([], { name: 7 })];
    const foreign = join(await temporaryFolder(), 'manifest.json');
    await writeFile(foreign, '{ "name": "shop", "icons": [] }');
    const uris = [manifest, other, foreign].map((path) => pathToFileURL(path).href);
    await server.client.sendNotification(ManifestsInView, { uris });
    expect(await listed()).toEqual([
      {
        name: 'test-model',
        status: 'invalid',
        reason: expect.stringMatching(/64/),
        files: [],
        manifestUri: pathToFileURL(manifest).href
      }
    ]);
    await expect(server.client.sendRequest(PullModel, { name: 'test-model' })).rejects.toThrow(/No model is named/);

    await writeFile(
      manifest,
      JSON.stringify({ name: 'test-model', files: [{ role: 'model', filename: 'w', ...good }] })
    );
    expect(await listed()).toMatchObject([{ name: 'test-model', status: 'registered' }]);
    await writeFile(manifest, '{ "name": "test-model", "files": [');
    expect(await listed()).toMatchObject([{ name: 'test-model', status: 'invalid' }]);
  });

  it('is listed once, as it is installed, when its manifest was broken since', async () => {
    const server = await testConnection();
    await server.start();
    const manifest = await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]);
    await inView(server, manifest);
    await server.client.sendRequest(PullModel, { name: 'test-model' });
    await writeFile(manifest, '{ "name": "test-model", "files": [{ "role": 7 }] }');
    expect(await server.client.sendRequest(ListModels)).toMatchObject([{ name: 'test-model', status: 'installed' }]);
  });

  it('is missing when somebody removed its folder, and the list says so by itself', async () => {
    const server = await testConnection();
    await server.start();
    await inView(server, await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]));
    await server.client.sendRequest(PullModel, { name: 'test-model' });
    const changed = new Promise<void>((done) => server.client.onNotification(ModelsChanged, done));
    await rm(join(server.root, 'models', 'test-model'), { recursive: true });
    await changed;
    expect(await server.client.sendRequest(ListModels)).toMatchObject([{ status: 'missing' }]);
  });
});

describe('a failure', () => {
  it('comes with its code, its subject and the next step', async () => {
    const server = await testConnection();
    await server.start();
    const pulled = server.client.sendRequest(PullModel, { name: 'nobody' });
    await expect(pulled).rejects.toMatchObject({
      message: 'No model is named nobody.',
      data: { code: 'unknown-model', subject: 'nobody', nextStep: expect.any(String) }
    });
  });

  it('of parameters that make no sense leaves the server alive', async () => {
    const server = await testConnection();
    await server.start();
    for (const params of [{}, { name: 7 }, { name: '../../etc' }, null]) {
      await expect(server.client.sendRequest('diffusionDock/models/pull', params)).rejects.toBeDefined();
    }
    expect(await server.client.sendRequest(ListModels)).toEqual([]);
  });
});

describe('a cancelled request', () => {
  it('ends the pull and leaves the model registered', async () => {
    const server = await testConnection();
    await server.start();
    await inView(server, await writeManifest([{ url: await modelSite(20_000), sha256: sha256(CONTENT) }]));
    const source = new CancellationTokenSource();
    server.client.onNotification(PullProgressed, ({ type }) => {
      if (type === 'file_started') source.cancel();
    });
    const pulled = server.client.sendRequest(PullModel, { name: 'test-model' }, source.token);
    await expect(pulled).rejects.toMatchObject({ code: -32_800 });
    expect(await server.client.sendRequest(ListModels)).toMatchObject([{ status: 'registered' }]);
  });
});

describe('the plan of a pull', () => {
  it('tells sizes, room and place, and says after the pull that everything is here', async () => {
    const server = await testConnection();
    await server.start();
    const url = await modelSite();
    await inView(server, await writeManifest([{ url, sha256: sha256(CONTENT), size_bytes: CONTENT.length }]));
    const plan = () => server.client.sendRequest(PlanPull, { name: 'test-model' });
    const file = { path: 'weights.gguf', bytes: CONTENT.length, source: url };
    expect(await plan()).toMatchObject({
      model: 'test-model',
      files: [{ ...file, presence: 'absent', heldBytes: 0 }],
      totalBytes: CONTENT.length,
      missingBytes: CONTENT.length,
      fits: true,
      folder: join(server.root, 'models', 'test-model')
    });
    await server.client.sendRequest(PullModel, { name: 'test-model' });
    expect(await plan()).toMatchObject({ files: [{ ...file, presence: 'stored' }], missingBytes: 0 });
  });

  it('says of a model that is larger than the disk that it does not fit', async () => {
    const server = await testConnection();
    await server.start();
    await inView(server, await writeManifest([{ url: await modelSite(), size_bytes: 2 ** 52 }]));
    expect(await server.client.sendRequest(PlanPull, { name: 'test-model' })).toMatchObject({ fits: false });
  });
});

describe('a pull', () => {
  it('stands still while it is paused and goes on when it is resumed', async () => {
    const server = await testConnection();
    await server.start();
    // The first answer never comes to its end.
    const site = await startRawServer(({ count }, socket) => {
      respond(socket, 200, { 'Content-Length': CONTENT.length }, CONTENT.subarray(0, count === 1 ? 20_000 : undefined));
      if (count === 1) void server.client.sendRequest(PausePull, { name: 'test-model' });
    });
    onTestFinished(() => site.close());
    await inView(server, await writeManifest([{ url: `${site.origin}/w`, sha256: sha256(CONTENT) }]));
    const events: string[] = [];
    server.client.onNotification(PullProgressed, ({ type }) => {
      if (type === 'paused') void server.client.sendRequest(ResumePull, { name: 'test-model' });
      events.push(type);
    });
    await server.client.sendRequest(PullModel, { name: 'test-model' });
    expect(events.filter((type) => !type.startsWith('file'))).toEqual(['started', 'paused', 'resumed', 'completed']);
  });

  it('that nobody runs cannot be paused', async () => {
    const server = await testConnection();
    await server.start();
    const paused = server.client.sendRequest(PausePull, { name: 'test-model' });
    await expect(paused).rejects.toMatchObject({ data: { code: 'not-running' } });
  });
});

describe('an untrusted workspace', () => {
  it('is listed, but nothing is fetched or started until trust is granted', async () => {
    const server = await testConnection();
    await server.start({ trusted: false });
    await inView(server, await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]));
    expect(await server.client.sendRequest(ListModels)).toMatchObject([{ status: 'registered' }]);
    const refusal = { data: { code: 'untrusted-workspace' } };
    for (const request of [PullModel, PlanPull]) {
      await expect(server.client.sendRequest<unknown>(request.method, { name: 'test-model' })).rejects.toMatchObject(
        refusal
      );
    }
    const generated = server.client.sendRequest(Generate, { name: 'test-model', request: { prompt: 'x' } });
    await expect(generated).rejects.toMatchObject(refusal);
    await server.client.sendNotification(TrustGranted);
    await expect(server.client.sendRequest(PullModel, { name: 'test-model' })).resolves.toBeDefined();
  });
});

describe('two servers on one cache', () => {
  it('show the same models', async () => {
    const one = await testConnection();
    await one.start();
    const two = await testConnection();
    await two.start({ cacheRoot: one.root });
    const told = new Promise<void>((done) => two.client.onNotification(ModelsChanged, done));
    await inView(one, await writeManifest([{ url: await modelSite(), sha256: sha256(CONTENT) }]));
    await one.client.sendRequest(PullModel, { name: 'test-model' });
    await told;
    expect(await two.client.sendRequest(ListModels)).toMatchObject([{ name: 'test-model', status: 'installed' }]);
  });

  it('never fetch the same bytes twice when both pull at once', async () => {
    const whole = sampleBytes(3_000_000);
    let requests = 0;
    const site = await startRawServer((_, socket) => {
      requests += 1;
      respond(socket, 200, { 'Content-Length': whole.length }, whole);
    });
    onTestFinished(() => site.close());
    const manifest = await writeManifest([{ url: `${site.origin}/w`, sha256: sha256(whole) }]);
    const one = await testConnection();
    await one.start();
    const two = await testConnection();
    await two.start({ cacheRoot: one.root });
    await Promise.all([inView(one, manifest), inView(two, manifest)]);
    const pulls = [one, two].map(({ client }) => client.sendRequest(PullModel, { name: 'test-model' }));
    const transferred = (await Promise.all(pulls)).map(({ transferredBytes }) => transferredBytes);
    expect(transferred.toSorted((a, b) => a - b)).toEqual([0, whole.length]);
    expect(requests).toBe(1);
  });
});

describe('a generation', () => {
  it('without an engine says what to install', async () => {
    const server = await testConnection({ PATH: resolve('no-such-folder') });
    await server.start();
    const folder = await temporaryFolder();
    createModelFolder(folder);
    const manifest = join(folder, 'manifest.json');
    const files = [
      { role: 'model', url: 'te-sd1-q1_0.gguf', filename: 'te-sd1-q1_0.gguf' },
      { role: 'diffusion_model', url: 'unet-sd1.safetensors', filename: 'unet-sd1.safetensors' },
      { role: 'taesd', url: 'taesd.safetensors', filename: 'taesd.safetensors' }
    ];
    await writeFile(manifest, JSON.stringify({ name: 'test-model', files }));
    await inView(server, manifest);
    await server.client.sendRequest(PullModel, { name: 'test-model' });
    const generated = server.client.sendRequest(Generate, { name: 'test-model', request: { prompt: 'x' } });
    await expect(generated).rejects.toMatchObject({ data: { code: 'engine-missing', nextStep: expect.any(String) } });
  });
});
