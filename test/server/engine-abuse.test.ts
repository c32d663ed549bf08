// What engines, their files and their users may do to a run (cases C1 to C12 of the project's list), and what is seen.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateImage } from '../../server/operations/generate/generate-image';
import type { GenerateOptions } from '../../server/operations/generate/generate-options';
import type { GenerationRequest } from '../../shared/generation';
import type { GenerationProgress } from '../../shared/job-events';
import { engineScript } from '../support/engine-script';
import { servicesWithSample } from '../support/sample-services';
import { temporaryFolder } from '../support/temporary-folder';
import { failureOf } from '../unit/engine/failures';
import { untilGone, untilWritten } from '../unit/engine/processes';

/** Makes an image with an engine; whatever becomes of it, no scratch and no place in the queue is left. */
async function attempt(
  sdCliPath: string,
  request: Partial<GenerationRequest> = {},
  options: Partial<GenerateOptions> = {}
) {
  const { services, model } = await servicesWithSample({ sdCliPath });
  const full = { prompt: 'a lighthouse', steps: 2, seed: 7, ...request };
  const signal = new AbortController().signal;
  try {
    return await generateImage(services, model, full, { signal, onProgress: () => undefined, ...options });
  } finally {
    const left = await readdir(services.layout.scratch).catch(() => []);
    const queues = await readdir(services.layout.queue).catch(() => []);
    const tickets = await Promise.all(queues.map((host) => readdir(join(services.layout.queue, host))));
    expect([...left, ...tickets.flat()]).toEqual([]);
  }
}

const failed = (...args: Parameters<typeof attempt>) => failureOf(attempt(...args));

async function file(content: string | Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), 'sd-cli');
  await writeFile(path, content, { mode: 0o755 });
  return path;
}

describe('a user sees', () => {
  it.each([
    ['a web page', '<!DOCTYPE html><html>not found</html>', /is not a program/],
    ['nothing', '', /is empty/]
  ])('C1: that what was downloaded as sd-cli is no program, and it is not run: %s', async (_, content, message) => {
    expect(await failed(await file(content))).toMatchObject({
      code: 'engine-unusable',
      message: expect.stringMatching(message)
    });
  });

  it.runIf(process.platform !== 'win32')('C2: that something which sd-cli needs is missing', async () => {
    expect(await failed(await file('#!/nowhere/interpreter\n'))).toMatchObject({
      code: 'engine-unusable',
      message: 'sd-cli cannot be started: the loader or interpreter that it needs is missing.'
    });
  });

  it('C3: an image of just the prompt, though it looks like options', async () => {
    const prompt = '--help\n-o /tmp/x `id` $(id)';
    const { images } = await attempt(await engineScript(), { prompt });
    expect((await readFile(images[0]!.path)).toString('utf8')).toContain(prompt);
  });

  it('C3: that a prompt cannot hold a NUL character', async () => {
    expect(await failed(await engineScript(), { prompt: 'a\0b' })).toMatchObject({ code: 'bad-request' });
  });

  it('C4: that a prompt is longer than systems allow', async () => {
    const failure = await failed(await engineScript(), { prompt: 'x'.repeat(200_000) });
    expect(failure).toMatchObject({ code: 'bad-request', message: expect.stringMatching(/200000 bytes long/) });
  });

  it.each(['<lora:/etc/passwd:1>', '<lora:../../x:1>'])(
    'C5: that a LoRA outside of the model is refused: %s',
    async (tag) => {
      expect(await failed(await engineScript(), { prompt: `a cat ${tag}` })).toMatchObject({ code: 'bad-request' });
    }
  );

  it('C6: every image of a batch, for no name of an output is taken from a user', async () => {
    const { images } = await attempt(await engineScript(), { prompt: '%d', images: 2 });
    expect(images.map(({ seed }) => seed)).toEqual([7, 8]);
  });

  it('C7: which images of a batch are missing, and the others', async () => {
    const { images, warnings } = await attempt(await engineScript({ fault: 'partial-batch' }), { images: 3 });
    expect(images.map(({ seed }) => seed)).toEqual([7, 9]);
    expect(warnings).toEqual(['Only 2 of 3 images were saved: image 2 could not be written. Check the free space.']);
  });

  it.each([
    ['no-file', /missing or damaged/],
    ['disk-full', /missing or damaged/],
    ['crash-sampling', /crashed \(SIGSEGV\)/]
  ])('C8: why there is no image, though sd-cli may say it is done: %s', async (fault, message) => {
    expect(await failed(await engineScript({ fault }))).toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(message)
    });
  });

  it('C9: an image, whatever sd-cli writes meanwhile: 256 MB, lines without end, colours, no text', async () => {
    const flood = `const { writeSync } = require('node:fs');
      const junk = Buffer.alloc(1 << 20, Buffer.from([27, 91, 51, 49, 109, 255, 254, 195, 40, 65, 66, 67]));
      for (let count = 0; count < 256; count += 1) for (let at = 0; at < junk.length; ) {
        try { at += writeSync(2, junk, at); } catch (error) { if (error.code !== 'EAGAIN') throw error; }
      }`;
    const engine = await engineScript({ during: flood });
    const before = process.memoryUsage().rss;
    const { images } = await attempt(engine);
    expect(images).toHaveLength(1);
    // Far below what was written.
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
  }, 180_000);

  it.runIf(process.platform !== 'win32')('C10: that cancelling ends sd-cli and all that it has started', async () => {
    const note = join(await temporaryFolder(), 'pids');
    const engine = await engineScript({
      during: `const { spawn } = require('node:child_process');
        process.on('SIGTERM', () => undefined);
        const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1e6)'], { stdio: 'inherit' });
        require('node:fs').writeFileSync(${JSON.stringify(note)}, process.pid + ' ' + child.pid);
        setInterval(() => 0, 1e6); return;`
    });
    const cancel = new AbortController();
    const running = failed(engine, {}, { signal: cancel.signal });
    const pids = (await untilWritten(note)).split(' ').map(Number);
    cancel.abort();
    expect((await running).code).toBe('cancelled');
    await Promise.all(pids.map((pid) => untilGone(pid)));
  });

  it('C11: an image from an engine that got no secret of the environment', async () => {
    const note = join(await temporaryFolder(), 'environment');
    const engine = await engineScript({
      during: `require('node:fs').writeFileSync(${JSON.stringify(note)}, JSON.stringify(process.env));`
    });
    const { services, model } = await servicesWithSample({
      sdCliPath: engine,
      environment: { HF_TOKEN: 'canary', DIFFUSION_DOCK_TOKEN_X: 'canary', PATH: process.env['PATH'] }
    });
    const request = { prompt: 'a lighthouse', steps: 1 };
    await generateImage(services, model, request, {
      signal: new AbortController().signal,
      onProgress: () => undefined
    });
    expect(await readFile(note, 'utf8')).not.toContain('canary');
  });

  it('C12: nothing of the prompt in the image itself, when that is asked for', async () => {
    const prompt = 'a canary';
    const { images } = await attempt(await engineScript(), { prompt, omit_metadata: true });
    expect((await readFile(images[0]!.path)).toString('latin1')).not.toContain(prompt);
  });

  it('how long sd-cli may take, when it takes longer', async () => {
    const engine = await engineScript({ fault: 'hang' });
    expect(await failed(engine, {}, { timeLimitMinutes: 0.005 })).toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(/^sd-cli was ended because it took longer than/),
      remedy: { kind: 'setting', key: 'diffusionDock.engine.timeLimit' }
    });
  });

  it('previews while the image is made', async () => {
    const frames: number[] = [];
    const { images } = await attempt(
      await engineScript(),
      { steps: 3 },
      { onPreview: ({ png }) => frames.push(png.length) }
    );
    expect(images).toHaveLength(1);
    expect(frames.length).toBeGreaterThan(0);
  });

  it('where in the queue a run waits, and two runs one after the other', async () => {
    const folder = await temporaryFolder();
    // Two at once would make the folder twice.
    const engine = await engineScript({
      during: `const { mkdirSync, rmdirSync } = require('node:fs');
        mkdirSync(${JSON.stringify(join(folder, 'running'))});
        process.on('exit', () => rmdirSync(${JSON.stringify(join(folder, 'running'))}));`
    });
    const { services, model } = await servicesWithSample({ sdCliPath: engine });
    const places: GenerationProgress[] = [];
    const run = () =>
      generateImage(
        services,
        model,
        { prompt: 'a lighthouse', steps: 1 },
        {
          signal: new AbortController().signal,
          onProgress: (progress) => progress.queue && places.push(progress)
        }
      );
    const results = await Promise.all([run(), run(), run()]);
    expect(results.flatMap(({ images }) => images)).toHaveLength(3);
    expect(places).toContainEqual(expect.objectContaining({ queue: { position: 2, behind: model.name } }));
  });
});
