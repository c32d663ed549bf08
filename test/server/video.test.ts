import { readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exportImage } from '../../server/operations/gallery/export-image';
import { generateImage } from '../../server/operations/generate/generate-image';
import { findModel } from '../../server/operations/models/known-models';
import type { GenerationRequest, GenerationResult } from '../../shared/generation';
import { aviFile } from '../support/avi-file';
import { engineScript } from '../support/engine-script';
import { temporaryFolder } from '../support/temporary-folder';
import { pullManifest, type TestServices, testServices, writeManifest } from '../support/test-services';
import { PUBLISHED, type Tensors } from '../support/weights/published';
import { safetensorsFile } from '../support/weights/safetensors-file';

/** Files of Wan with next to nothing in them. */
const FILES: Readonly<Record<string, Tensors>> = {
  diffusion_model: PUBLISHED.wan,
  vae: { 'unknown.weight': [1] },
  t5xxl: { 'unknown.weight': [2] }
};

/** Nobody recorded a run that makes a video, so the engine only writes what it is told to. */
async function bench(written: Buffer): Promise<{
  readonly services: TestServices;
  readonly generate: (request?: Partial<GenerationRequest>) => Promise<GenerationResult>;
}> {
  const folder = await temporaryFolder();
  const video = join(folder, 'made.avi');
  await writeFile(video, written);
  const during = `
    const output = process.argv[process.argv.indexOf('--output') + 1];
    if (!process.argv.includes('vid_gen') || !output.endsWith('.avi')) process.exit(1);
    require('node:fs').copyFileSync(${JSON.stringify(video)}, output);
    console.log("[INFO ] main.cpp:500  - save result MJPG AVI video to '" + output + "'");
    process.exit(0);`;
  const services = await testServices({ sdCliPath: await engineScript({ during }) });
  const files = [];
  for (const [role, tensors] of Object.entries(FILES)) {
    const { start, size } = safetensorsFile(
      Object.entries(tensors).map(([name, shape]) => ({ name, dtype: 'BF16', shape }))
    );
    const path = join(folder, `${role}.safetensors`);
    await writeFile(path, Buffer.concat([start, Buffer.alloc(size - start.length)]));
    files.push({ role, filename: `${role}.safetensors`, url: pathToFileURL(path).href });
  }
  await pullManifest(services, await writeManifest(files));
  return {
    services,
    async generate(request = {}) {
      const full = { prompt: 'a cat', seed: 7, video_frames: 33, width: 64, height: 64, ...request };
      const sinks = { signal: new AbortController().signal, onProgress: () => undefined };
      return generateImage(services, await findModel(services, 'test-model'), full, sinks);
    }
  };
}

describe('a video', () => {
  it('is kept as the engine wrote it, described, and exported', async () => {
    const written = aviFile({ frames: 33 });
    const { services, generate } = await bench(written);
    const { images, warnings } = await generate();
    expect(warnings).toEqual([]);
    expect(images).toMatchObject([{ width: 64, height: 64, frames: 33, seed: 7 }]);
    const [{ id, path }] = images as [GenerationResult['images'][0]];
    expect(await readFile(path)).toEqual(written);
    const { sidecar } = await services.images.get(id);
    expect(sidecar).toMatchObject({ media_type: 'video/x-msvideo', mode: 'video', frames: 33, fps: 16 });
    const exported = await exportImage(services, id, await temporaryFolder());
    expect(extname(exported.path)).toBe('.avi');
    expect(await readdir(services.layout.scratch)).toEqual([]);
  });

  it('with another number of frames than was asked for is kept, and the difference said', async () => {
    const { generate } = await bench(aviFile({ frames: 29 }));
    expect((await generate()).warnings).toEqual(['The video has 29 frames instead of 33.']);
  });

  it('that is cut off is a failure, although the engine says that all is well', async () => {
    const { services, generate } = await bench(aviFile({ frames: 33 }).subarray(0, 400));
    await expect(generate()).rejects.toMatchObject({ code: 'engine-failed' });
    expect(await services.images.list()).toEqual([]);
  });

  it('is made alone', async () => {
    const { generate } = await bench(aviFile({ frames: 33 }));
    await expect(generate({ images: 2 })).rejects.toMatchObject({
      code: 'bad-request',
      message: 'images: videos are made one at a time.'
    });
  });
});
