import { spawn } from 'node:child_process';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { unusedPort } from '../../server/engine/resident/port-holder';
import { examineMachine } from '../../server/operations/doctor/doctor';
import { residentModels, unloadStale } from '../../server/operations/engine/resident-models';
import { generateImage } from '../../server/operations/generate/generate-image';
import type { GenerateOptions } from '../../server/operations/generate/generate-options';
import { repetitionOf } from '../../server/operations/generate/repeat';
import { dropModel } from '../../server/operations/models/drop-model';
import { findModel } from '../../server/operations/models/known-models';
import { type EngineSettings, engineSettings } from '../../shared/engine-settings';
import { temporaryFolder } from '../support/temporary-folder';
import { pullManifest, type TestServices, testServices, writeManifest } from '../support/test-services';
import { failureOf } from '../unit/engine/failures';
import { untilGone } from '../unit/engine/processes';
import { expandSampleModel, STAND_IN } from '../unit/engine/sample-model';

const SERVER_STAND_IN = join(import.meta.dirname, '../support/stand-in/sd-server.mjs');

const REQUEST = { prompt: 'a lighthouse', width: 64, height: 64, steps: 3, seed: 7 };

/** A web server that says it listens as sd-server does, and shows its page. */
const OTHER_SERVER = `
const { readFileSync } = require('node:fs');
const valueOf = (option) => process.argv[process.argv.indexOf(option) + 1];
require('node:http')
  .createServer(({ url }, response) => response.end(url === '/' ? readFileSync(valueOf('--serve-html-path')) : '{}'))
  .listen(Number(valueOf('--listen-port')), '127.0.0.1', () =>
    console.log('[INFO ] main.cpp:150  - listening on: http://127.0.0.1')
  );
`;

/** Services with the sample model installed. @param more roles whose file is the text encoder of the sample once more */
async function withModel(
  settings: Partial<EngineSettings>,
  sdCliPath: string | undefined = STAND_IN,
  more: readonly string[] = []
): Promise<TestServices> {
  const services = await testServices({ sdCliPath, engineSettings: engineSettings.parse(settings) });
  const files = await expandSampleModel(await temporaryFolder());
  const [encoder] = files;
  const manifest = await writeManifest([
    ...files.map(({ role, path }) => ({ role, url: pathToFileURL(path).href, filename: path.split('/').at(-1)! })),
    ...more.map((role) => ({ role, url: pathToFileURL(encoder!.path).href, filename: `${role}.gguf` }))
  ]);
  await pullManifest(services, manifest);
  return services;
}

async function generate(services: TestServices, options: Partial<GenerateOptions> = {}, request = {}) {
  const model = await findModel(services, 'test-model');
  const signal = new AbortController().signal;
  return generateImage(
    services,
    model,
    { ...REQUEST, ...request },
    { signal, onProgress: () => undefined, ...options }
  );
}

/** An sd-server of "another machine", with the sample model or one of another name. @returns its address */
async function deviceWith(modelName = 'te-sd1-q1_0.gguf'): Promise<string> {
  const folder = await temporaryFolder();
  const files = await expandSampleModel(folder);
  const [model = '', unet = '', taesd = ''] = files.map(({ path }) => path);
  const named = join(folder, modelName);
  await rename(model, named);
  const port = await unusedPort();
  const child = spawn(
    SERVER_STAND_IN,
    ['--model', named, '--diffusion-model', unet, '--taesd', taesd, '--listen-port', String(port)],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'], SD_CLI_STAND_IN_SPEED: '0' } }
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => void (String(chunk).includes('listening on') && resolve()));
  });
  return `http://127.0.0.1:${port}`;
}

it('says with the image what of a request changes nothing for the model', async () => {
  const { warnings } = await generate(await withModel({}), {}, { guidance: 3 });
  expect(warnings).toEqual(['guidance changes nothing for models of Stable Diffusion 1.']);
});

describe('resident mode', () => {
  it('makes images as sd-cli does, and the model stays loaded', async () => {
    const services = await withModel({ resident: true, sdServerPath: SERVER_STAND_IN });
    const first = await generate(services);
    const second = await generate(services, {}, { seed: 8 });
    expect([first, second]).toMatchObject([
      { warnings: [], images: [{ width: 64, height: 64, seed: 7 }] },
      { warnings: [], images: [{ seed: 8 }] }
    ]);
    expect(residentModels(services)).toEqual([{ model: 'test-model', isGenerating: false }]);
    const sidecar = JSON.parse(await readFile(first.images[0]!.path.replace(/png$/, 'json'), 'utf8')) as unknown;
    expect(sidecar).toMatchObject({ engine: { version: expect.stringContaining('stand-in') }, seed: 7 });
    // The same image as without it.
    const alone = await withModel({});
    expect((await generate(alone)).images[0]).toMatchObject({ width: 64, height: 64, seed: 7 });
  });

  it('is left to sd-cli, with the reason, when there is no sd-server', async () => {
    const services = await withModel({ resident: true, sdServerPath: join(await temporaryFolder(), 'sd-server') });
    const { images, warnings } = await generate(services);
    expect(images).toHaveLength(1);
    expect(warnings).toEqual([
      expect.stringMatching(/^The model was loaded for this request alone\. The setting names an sd-server that/)
    ]);
  });

  it.each([
    [
      'a library is missing',
      'echo "sd-server: error while loading shared libraries: libggml.so: cannot open shared object file" >&2; exit 127',
      'The library libggml.so that sd-server needs is missing.'
    ],
    [
      'it does not know an option',
      'echo "[ERROR] common.cpp:325  - error: unknown argument: --taesd" >&2; exit 1',
      'This sd-server does not know the option --taesd.'
    ],
    [
      'it cannot have its port',
      'echo "[ERROR] main.cpp:140  - listen on 127.0.0.1 failed" >&2; exit 1',
      'sd-server failed with exit code 1. It said: listen on 127.0.0.1 failed'
    ],
    ['it crashes', 'kill -ILL $$', 'This sd-server uses instructions that the processor does not have.'],
    ['it is no program', undefined, 'sd-server cannot be run: the file is not a program.']
  ])('is left to sd-cli, with the reason, when sd-server does not start: %s', async (_, script, reason) => {
    const sdServerPath = join(await temporaryFolder(), 'sd-server');
    await writeFile(sdServerPath, script === undefined ? 'hello' : `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const services = await withModel({ resident: true, sdServerPath });
    const { images, warnings } = await generate(services);
    expect(images).toMatchObject([{ width: 64, height: 64, seed: 7 }]);
    expect(warnings).toEqual([`The model was loaded for this request alone. sd-server cannot be used: ${reason}`]);
    expect(residentModels(services)).toEqual([]);
    expect(await readdir(services.layout.scratch)).toEqual([]);
  });

  it('is left to sd-cli when what listens is no sd-server', async () => {
    const folder = await temporaryFolder();
    const sdServerPath = join(folder, 'sd-server');
    await writeFile(sdServerPath, `#!${process.execPath}\n${OTHER_SERVER}`, { mode: 0o755 });
    const services = await withModel({ resident: true, sdServerPath });
    const { images, warnings } = await generate(services);
    expect(images).toHaveLength(1);
    expect(warnings).toEqual([
      'The model was loaded for this request alone. sd-server cannot be used: The answer of sd-server cannot be used: it does not look like one of sd-server.'
    ]);
  });

  it('is not left to sd-cli where that would fail as well: memory, or weights that are damaged', async () => {
    const sdServerPath = join(await temporaryFolder(), 'sd-server');
    const services = await withModel({ resident: true, sdServerPath });
    const says = (line: string) => writeFile(sdServerPath, `#!/bin/sh\necho "${line}"\nexit 1\n`, { mode: 0o755 });
    await says('[WARN ] model_loader.cpp:254  - unknown format /models/te-sd1-q1_0.gguf');
    expect(await failureOf(generate(services))).toMatchObject({
      code: 'engine-failed',
      message: 'The file te-sd1-q1_0.gguf does not hold a model.',
      remedy: { kind: 'heal' }
    });
    await says('ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 99999999999');
    expect(await failureOf(generate(services))).toMatchObject({
      code: 'engine-failed',
      message: 'There is not enough memory for this image with this model.'
    });
  });

  it('is left to sd-cli for what only that can do', async () => {
    const services = await withModel({ resident: true, sdServerPath: SERVER_STAND_IN });
    const { images, warnings } = await generate(services, {}, { images: 9 });
    expect(images).toHaveLength(9);
    expect(warnings).toEqual([
      'The model was loaded for this request alone. sd-server makes at most 8 images at once.'
    ]);
  });

  it('ends when the model is removed, whoever removes it', async () => {
    const services = await withModel({ resident: true, sdServerPath: SERVER_STAND_IN });
    await generate(services);
    await unloadStale(services);
    expect(residentModels(services)).toHaveLength(1);
    await rm(services.layout.model((await findModel(services, 'test-model')).name), { recursive: true });
    await unloadStale(services);
    expect(residentModels(services)).toEqual([]);
  });

  it('ends when the model is removed here, and with the services', async () => {
    const services = await withModel({ resident: true, sdServerPath: SERVER_STAND_IN });
    await generate(services);
    await dropModel(services, await findModel(services, 'test-model'));
    expect(residentModels(services)).toEqual([]);

    const others = await withModel({ resident: true, sdServerPath: SERVER_STAND_IN });
    await generate(others);
    const line = others.logged.find((text) => text.startsWith('loaded resident model'))!;
    const { pid } = JSON.parse(line.slice(line.indexOf('{'))) as { pid: number };
    await others.dispose();
    await untilGone(pid);
  });
});

describe('a device on another machine', () => {
  it('makes images without an engine here, and the settings in them say which one it was', async () => {
    const services = await withModel({ remotes: { tower: await deviceWith() } }, '/no/sd-cli');
    const { images, warnings } = await generate(services, { device: 'tower' });
    expect(images).toMatchObject([{ width: 64, height: 64, seed: 7 }]);
    expect(warnings).toEqual([]);
  });

  it('makes an image again without an engine here', async () => {
    const services = await withModel({ remotes: { tower: await deviceWith() } }, '/no/sd-cli');
    const { images } = await generate(services, { device: 'tower' });
    const wish = { image: images[0]!.id, changes: {}, signal: new AbortController().signal };
    const { request, inputNames, differences } = await repetitionOf(services, { ...wish, device: 'tower' });
    expect(differences).toEqual([]);
    const again = await generate(services, { device: 'tower', repeats: { inputNames } }, request);
    expect(again.images[0]!.id).toBe(images[0]!.id);
    expect(await failureOf(repetitionOf(services, wish))).toMatchObject({ code: 'engine-missing' });
  });

  it('says which files of the model have no part in it', async () => {
    const services = await withModel({ remotes: { tower: await deviceWith() } }, '/no/sd-cli', ['clip_l']);
    expect((await generate(services, { device: 'tower' })).warnings).toEqual([
      'Stable Diffusion 1 takes no file with the role "clip_l"; clip_l.gguf was left out.'
    ]);
  });

  it('is the one in the settings unless a request names another, or this machine', async () => {
    const services = await withModel({ remotes: { tower: await deviceWith() }, device: 'tower' }, '/no/sd-cli');
    expect((await generate(services)).images).toHaveLength(1);
    expect(await failureOf(generate(services, { device: 'local' }))).toMatchObject({ code: 'engine-missing' });
    expect(await failureOf(generate(services, { device: 'attic' }))).toMatchObject({
      code: 'bad-request',
      message: 'There is no device "attic".',
      nextStep: 'Known are: local, tower. Others can be named in the settings.'
    });
  });

  it('is refused when it has another model loaded', async () => {
    const services = await withModel({ remotes: { tower: await deviceWith('other.gguf') } });
    expect(await failureOf(generate(services, { device: 'tower' }))).toMatchObject({
      code: 'engine-failed',
      message: 'The device "tower" has other.gguf loaded, which is not of this model.'
    });
  });

  it('is told when it does not answer, by doctor too', async () => {
    const gone = `http://127.0.0.1:${await unusedPort()}`;
    const services = await withModel({ remotes: { tower: await deviceWith(), attic: gone } });
    const failure = await failureOf(generate(services, { device: 'attic' }));
    expect(failure).toMatchObject({ code: 'network', message: expect.stringMatching(/^The device "attic" does not/) });
    const findings = await examineMachine(services, new AbortController().signal);
    const found = findings.find(({ subject }) => subject === 'devices')!;
    expect(found.state).toBe('attention');
    expect(found.message).toMatch(
      /^"tower" \(127\.0\.0\.1:\d+\) is an sd-server with te-sd1-q1_0\.gguf\. The device "attic"/
    );
  });
});
