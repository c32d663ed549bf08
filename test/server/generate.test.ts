import { createHash } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commandOfImage } from '../../server/operations/gallery/command-of-image';
import { generateImage } from '../../server/operations/generate/generate-image';
import { repetitionOf } from '../../server/operations/generate/repeat';
import { enlargingAgain } from '../../server/operations/generate/repeat-enlarging';
import { whenItsTurn } from '../../server/operations/generate/turn';
import { upscaleImage } from '../../server/operations/generate/upscale-image';
import { dropModel } from '../../server/operations/models/drop-model';
import { findModel } from '../../server/operations/models/known-models';
import type { GenerationRequest } from '../../shared/generation';
import type { GenerationProgress } from '../../shared/job-events';
import { type FileTap, withFileTap } from '../support/crash/file-tap';
import { type FastEngine, fastEngine } from '../support/fast-engine';
import { createModelFolder } from '../support/stand-in/testing/model-folder';
import { makePng } from '../support/stand-in/testing/plain-png';
import { temporaryFolder } from '../support/temporary-folder';
import { pullManifest, type TestServices, testServices, writeManifest } from '../support/test-services';
import { safetensorsFile } from '../support/weights/safetensors-file';

let models: string;

beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  createModelFolder(models);
});

afterAll(() => rm(models, { recursive: true }));

const SPLIT = [
  ['model', 'te-sd1-q1_0.gguf'],
  ['diffusion_model', 'unet-sd1.safetensors'],
  ['taesd', 'taesd.safetensors']
] as const;

const SMALL = { width: 64, height: 64, steps: 2 };

interface Bench {
  readonly services: TestServices;
  readonly engine: FastEngine;
  /** Generates with the model, and gives the result with the value of each option that the engine got. */
  readonly generate: (
    request: Partial<GenerationRequest>
  ) => Promise<{ result: Result; options: ReadonlyMap<string, string> }>;
}

type Result = Awaited<ReturnType<typeof generateImage>>;

/** An installed model of these files, and an engine. */
async function bench(
  files: readonly (readonly [role: string, file: string])[] = SPLIT,
  options: { loraFolder?: string } = {}
): Promise<Bench> {
  const engine = await fastEngine(await temporaryFolder());
  const services = await testServices({ sdCliPath: engine.path, ...options });
  const listed = files.map(([role, file]) => ({
    role,
    filename: basename(file),
    url: pathToFileURL(join(models, file)).href
  }));
  await pullManifest(services, await writeManifest(listed, { defaults: SMALL }));
  return {
    services,
    engine,
    async generate(request) {
      const model = await findModel(services, 'test-model');
      const result = await generateImage(
        services,
        model,
        { prompt: 'a cat', seed: 7, ...request },
        { signal: new AbortController().signal, onProgress: () => undefined }
      );
      const argv = (await engine.runs()).at(-1) ?? [];
      const given = argv.flatMap((word, at) => (word.startsWith('--') ? [[word, argv[at + 1] ?? ''] as const] : []));
      return { result, options: new Map(given) };
    }
  };
}

async function picture(name: string, side: number): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, makePng(side, side, 3));
  return path;
}

describe('generating', () => {
  it('from an image gives one of its size', async () => {
    const { generate } = await bench();
    const { result, options } = await generate({ init_image: await picture('in.png', 128), strength: 0.5 });
    expect(result.images).toMatchObject([{ width: 128, height: 128 }]);
    expect(options.get('--strength')).toBe('0.5');
    expect(options.has('--width')).toBe(false);
  });

  it('with a mask paints a part anew', async () => {
    const { generate } = await bench();
    const request = { init_image: await picture('in.png', 64), mask: await picture('mask.png', 64) };
    const { result, options } = await generate(request);
    expect(result.images).toHaveLength(1);
    expect(options.has('--mask')).toBe(true);
  });

  it('makes a batch, each image with its own seed', async () => {
    const { generate, services } = await bench();
    const { result } = await generate({ images: 3 });
    expect(result.images.map(({ seed }) => seed)).toEqual([7, 8, 9]);
    const kept = await services.images.get(result.images[1]!.id);
    expect(kept.sidecar.seed).toBe(8);
  });

  it('keeps of a batch what the disk takes, and says what is lost', async () => {
    const { generate, services } = await bench();
    let images = 0;
    const isFull: FileTap = ({ name, args: [, target] }, proceed) => {
      const isImage = name === 'rename' && /images.sha256.*\.png$/.test(String(target));
      if (!isImage || (images += 1) !== 1) return proceed();
      return Promise.reject(Object.assign(new Error('ENOSPC: on purpose'), { code: 'ENOSPC' }));
    };
    const { result } = await withFileTap(isFull, () => generate({ images: 3 }));
    expect(result.images.map(({ seed }) => seed)).toEqual([8, 9]);
    expect(await services.images.list()).toHaveLength(2);
    expect(result.warnings).toEqual([expect.stringMatching(/^1 of 3 images were made and could not be kept\. .*disk/)]);
  });

  it('records what is usual for the family with the image', async () => {
    const { generate, services } = await bench();
    const { result } = await generate({});
    const { sidecar } = await services.images.get(result.images[0]!.id);
    expect(sidecar.request).toMatchObject({ ...SMALL, cfg_scale: 7, sampling_method: 'euler_a' });
  });

  it('with a second pass gives a larger image', async () => {
    const { generate } = await bench();
    const { result } = await generate({ hires: { scale: 2, steps: 2 } });
    expect(result.images).toMatchObject([{ width: 128, height: 128 }]);
  });
});

describe('enlarging', () => {
  const options = { signal: new AbortController().signal, onProgress: () => undefined };

  it('gives an image that is as much larger as the model makes it, and keeps it', async () => {
    const { services, engine } = await bench([['upscale_model', 'esrgan-x2.safetensors']]);
    const model = await findModel(services, 'test-model');
    const result = await upscaleImage(services, model, await picture('cat.png', 64), options);
    expect(result.images).toMatchObject([{ width: 128, height: 128 }]);
    const { sidecar } = await services.images.get(result.images[0]!.id);
    expect(sidecar.label).toBe('cat.png, enlarged');
    expect((await engine.runs()).map((argv) => argv.slice(0, 2))).toEqual([['--mode', 'upscale']]);
  });

  it('is done again from the image that is kept, with its name', async () => {
    const { services } = await bench([['upscale_model', 'esrgan-x2.safetensors']]);
    const model = await findModel(services, 'test-model');
    const first = await upscaleImage(services, model, await picture('cat.png', 64), options);
    const [{ id }] = first.images as [Result['images'][0]];
    const again = await enlargingAgain(services, { image: id, signal: options.signal });
    expect(again).toMatchObject({ original: { name: 'cat.png' }, differences: [] });
    const { path, name } = again!.original;
    const second = await upscaleImage(services, again!.model, path, { ...options, name });
    expect(second.images[0]!.id).toBe(id);
    expect((await services.images.get(id)).sidecar.label).toBe('cat.png, enlarged');
  });

  it('looks at the model again when its turn comes: it may be gone by then', async () => {
    const { services, engine } = await bench([['upscale_model', 'esrgan-x2.safetensors']]);
    const model = await findModel(services, 'test-model');
    const image = await picture('cat.png', 64);
    const before = { model: 'other', request: {} };
    let outcome: Promise<unknown> | undefined;
    await whenItsTurn(services, before, options, async () => {
      const waits = new Promise<void>((resolve) => {
        const onProgress = ({ phase }: GenerationProgress) => void (phase === 'waiting' && resolve());
        outcome = upscaleImage(services, model, image, { ...options, onProgress }).catch((error: unknown) => error);
      });
      await waits;
      await dropModel(services, model);
    });
    expect(await outcome).toMatchObject({ code: 'not-installed' });
    expect(await engine.runs()).toEqual([]);
  });

  it('needs a model that is made for it', async () => {
    const { services, engine } = await bench();
    const model = await findModel(services, 'test-model');
    const image = await picture('cat.png', 64);
    await expect(upscaleImage(services, model, image, options)).rejects.toMatchObject({
      code: 'bad-request',
      subject: 'upscale_model'
    });
    expect(await engine.runs()).toEqual([]);
  });
});

describe('LoRAs and embeddings', () => {
  it('are shown to the engine one by one, whatever else lies beside them', async () => {
    const { generate, services } = await bench(
      [...SPLIT, ['lora', 'lora/tinylora.safetensors'], ['embedding', 'embeddings/tinyemb.safetensors']],
      { loraFolder: join(models, 'lora') }
    );
    const prompt = 'a cat <lora:tinylora:0.8> <lora:strayname:1>';
    const { result, options } = await generate({ prompt });
    expect(result.warnings.join(' ')).not.toContain('was not found');
    expect(options.get('--lora-model-dir')).toContain(services.layout.scratch);
    expect(options.get('--embd-dir')).toContain(services.layout.scratch);
  });

  it('that are nowhere are refused before the engine starts', async () => {
    const { generate, engine } = await bench();
    await expect(generate({ prompt: '<lora:../../secret:1>' })).rejects.toMatchObject({
      code: 'bad-request',
      subject: 'prompt'
    });
    expect(await engine.runs()).toEqual([]);
  });

  it('of the user are recorded by their digests, and a change is told when the image is made again', async () => {
    const loraFolder = await temporaryFolder();
    const path = join(loraFolder, 'mine.safetensors');
    await copyFile(join(models, 'lora/tinylora.safetensors'), path);
    const { generate, services } = await bench(SPLIT, { loraFolder });
    const { result } = await generate({ prompt: 'a cat <lora:mine:1>' });
    const [{ id }] = result.images as [Result['images'][0]];
    const { sidecar } = await services.images.get(id);
    const digest = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    expect(sidecar.loras).toEqual([{ name: 'mine', digest }]);
    const again = async () =>
      (await repetitionOf(services, { image: id, changes: {}, signal: new AbortController().signal })).differences;
    expect(await again()).toEqual([]);
    await copyFile(join(models, 'lora/strayname.safetensors'), path);
    expect(await again()).toEqual(['The LoRA mine has another content than it had.']);
  });

  it('of another folder than that of the settings are looked for there when the image is made again', async () => {
    const [used, loraFolder] = [await temporaryFolder(), await temporaryFolder()];
    for (const folder of [used, loraFolder]) {
      await copyFile(join(models, 'lora/tinylora.safetensors'), join(folder, 'mine.safetensors'));
    }
    const { generate, services } = await bench(SPLIT, { loraFolder: used });
    const [{ id }] = (await generate({ prompt: 'a cat <lora:mine:1>' })).result.images as [Result['images'][0]];
    const wish = { image: id, changes: {}, loraFolder, signal: new AbortController().signal };
    expect((await repetitionOf(services, wish)).differences).toEqual([]);
    await copyFile(join(models, 'lora/strayname.safetensors'), join(loraFolder, 'mine.safetensors'));
    expect((await repetitionOf(services, wish)).differences).toEqual([
      'The LoRA mine has another content than it had.'
    ]);
  });

  it('of the user are in the command line that makes the image again', async () => {
    const loraFolder = await temporaryFolder();
    await copyFile(join(models, 'lora/tinylora.safetensors'), join(loraFolder, 'mine.safetensors'));
    const { generate, services } = await bench(SPLIT, { loraFolder });
    const commandOf = async (prompt: string) => {
      const [{ id }] = (await generate({ prompt })).result.images as [Result['images'][0]];
      return commandOfImage(services, await services.images.get(id), { program: 'diffusion-dock', shell: 'posix' });
    };
    expect(await commandOf('a cat <lora:mine:1>')).toMatch(new RegExp(`--lora-folder '?${loraFolder}'?$`));
    expect(await commandOf('a cat')).not.toContain('--lora-folder');
  });

  it.each([
    [
      'that is damaged',
      (whole: Buffer) => whole.subarray(0, 1000),
      'bad-weights',
      /^The LoRA mine\.safetensors cannot be used\. /
    ],
    [
      'that is a web page',
      () => Buffer.from('<!doctype html><html>'),
      'unsupported-weights',
      /^The LoRA mine\.safetensors cannot be used\. /
    ],
    [
      'of another family',
      () => madeFor(2048),
      'unsupported-weights',
      /^The LoRA mine\.safetensors was made for .*XL.*, and the model is .*1/
    ],
    [
      'that is another kind of file',
      () => readFile(join(models, 'esrgan-x2.safetensors')),
      'unsupported-weights',
      /^mine\.safetensors is no LoRA\.$/
    ]
  ])('%s is refused before the engine starts', async (_, made, code, message) => {
    const loraFolder = await temporaryFolder();
    const whole = await readFile(join(models, 'lora/tinylora.safetensors'));
    await writeFile(join(loraFolder, 'mine.safetensors'), await made(whole));
    const { generate, engine } = await bench(SPLIT, { loraFolder });
    await expect(generate({ prompt: 'a cat <lora:mine:1>' })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message)
    });
    expect(await engine.runs()).toEqual([]);
  });

  it('stay as they were: nothing is left of the folders that the engine got', async () => {
    const { generate, services } = await bench([...SPLIT, ['lora', 'lora/tinylora.safetensors']]);
    await generate({ prompt: '<lora:tinylora:1>' });
    const model = await findModel(services, 'test-model');
    expect((await services.survey.look(model.name)).kind).toBe('present');
    await expect(generate({ prompt: '<lora:tinylora:1>' })).resolves.toBeDefined();
  });
});

/** A LoRA for the prompts of a family, which their width tells. */
function madeFor(width: number): Buffer {
  const name = 'lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k';
  const tensors = [
    { name: `${name}.lora_down.weight`, dtype: 'F16', shape: [4, width] },
    { name: `${name}.lora_up.weight`, dtype: 'F16', shape: [640, 4] }
  ];
  const { start, size } = safetensorsFile(tensors);
  return Buffer.concat([start, Buffer.alloc(size - start.length)]);
}
