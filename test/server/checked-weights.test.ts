import { copyFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateImage } from '../../server/operations/generate/generate-image';
import { modelFromManifest } from '../../server/operations/models/register-model';
import type { ServiceOptions } from '../../server/operations/services';
import type { GenerationResult } from '../../shared/generation';
import { STAND_IN } from '../support/run-cli';
import { servicesWithSample } from '../support/sample-services';
import { createModelFolder } from '../support/stand-in/testing/model-folder';
import { makePng } from '../support/stand-in/testing/plain-png';
import { temporaryFolder } from '../support/temporary-folder';
import { pullManifest, type TestServices, testServices } from '../support/test-services';
import { ggufStart } from '../support/weights/gguf-file';

interface Attempt {
  readonly services: TestServices;
  readonly result: Promise<GenerationResult>;
  /** What was said before the run. */
  readonly notices: readonly string[];
}

/** Installs files of the recordings under roles, some of them changed before, and generates with them. */
async function attempt(
  roles: Readonly<Record<string, string>>,
  change: (folder: string) => Promise<unknown> = async () => undefined,
  options: Partial<ServiceOptions> = {}
): Promise<Attempt> {
  const folder = await temporaryFolder();
  createModelFolder(folder);
  await change(folder);
  const files = Object.entries(roles).map(([role, filename]) => ({ role, url: filename, filename }));
  const manifest = join(folder, 'manifest.json');
  await writeFile(manifest, JSON.stringify({ name: 'test-model', files }));
  const services = await testServices({ sdCliPath: STAND_IN, ...options });
  await pullManifest(services, manifest);
  const model = await modelFromManifest(manifest);
  const notices: string[] = [];
  const result = generateImage(
    services,
    model,
    { prompt: 'a', width: 64, height: 64, steps: 2 },
    {
      signal: new AbortController().signal,
      onProgress: () => undefined,
      onNotice: (notice) => notices.push(notice)
    }
  );
  return { services, result, notices };
}

const SOUND = { model: 'te-sd1-q1_0.gguf', diffusion_model: 'unet-sd1.safetensors', taesd: 'taesd.safetensors' };

/** The engine was not started for a run. */
const startedRuns = ({ logged }: TestServices) => logged.filter((line) => line.startsWith('starting generation'));

const replace = (name: string, bytes: Uint8Array | string) => (folder: string) => writeFile(join(folder, name), bytes);

describe('weights that are not sound', () => {
  it.each([
    ['a web page', replace('unet-sd1.safetensors', '<!DOCTYPE html><p>log in'), 'unsupported-weights', /a web page/],
    [
      'a pointer',
      replace('unet-sd1.safetensors', 'version https://git-lfs.github.com/spec/v1'),
      'unsupported-weights',
      /LFS/
    ],
    [
      'a file that is cut off',
      (folder) => truncate(join(folder, 'unet-sd1.safetensors'), 2_000_000),
      'bad-weights',
      /cut off/
    ],
    [
      'a file that something was added to, which the engine accepts',
      async (folder) => {
        const path = join(folder, 'unet-sd1.safetensors');
        await writeFile(path, Buffer.concat([await readFile(path), Buffer.alloc(64)]));
      },
      'bad-weights',
      /Something was added/
    ],
    [
      'a GGUF of a version that does not exist, which the engine accepts',
      replace('te-sd1-q1_0.gguf', ggufStart(0, 0, [], 9)),
      'unsupported-weights',
      /version 9/
    ],
    [
      'a pickle under another name',
      (folder) => writeFile(join(folder, 'unet-sd1.safetensors'), Buffer.from([0x80, 2, 0x7d, 0x71, 0, 0x2e])),
      'unsupported-weights',
      /is a pickle, which can run code/
    ]
  ] as const satisfies readonly (readonly [string, (folder: string) => Promise<unknown>, string, RegExp])[])(
    'never reach the engine: %s',
    async (_, change, code, message) => {
      const { services, result } = await attempt(SOUND, change);
      const wanted = { code, message: expect.stringMatching(message), remedy: { kind: 'heal' } };
      await expect(result).rejects.toMatchObject(wanted);
      expect(startedRuns(services)).toEqual([]);
    }
  );

  it('are those that plainly are something else than their role says', async () => {
    const { services, result } = await attempt({ ...SOUND, taesd: 'vae-kl.safetensors' });
    await expect(result).rejects.toMatchObject({
      code: 'unsupported-weights',
      message: 'The installed file is a VAE, and no tiny autoencoder (TAESD).',
      nextStep: 'In the manifest, give it the role “vae”, or list another file.'
    });
    expect(startedRuns(services)).toEqual([]);
  });
});

const disguise = (folder: string) => copyFile(join(folder, 'sd1.ckpt'), join(folder, 'sd1.safetensors'));

describe('pickles', () => {
  const roles = { model: 'sd1.ckpt' };

  it('are refused, with the setting that allows them', async () => {
    const { services, result } = await attempt(roles);
    await expect(result).rejects.toMatchObject({
      code: 'unsupported-weights',
      message: expect.stringContaining('sd1.ckpt is a PyTorch archive with a pickle'),
      nextStep: expect.stringContaining('diffusionDock.allowPickle'),
      remedy: { kind: 'setting', key: 'diffusionDock.allowPickle' }
    });
    expect(startedRuns(services)).toEqual([]);
  });

  it.each([
    ['by the setting', { allowPickle: ['Test-Model'] }],
    ['by the variable', { environment: { DIFFUSION_DOCK_ALLOW_PICKLE: 'other, test-model' } }]
  ])('reach the engine when they are allowed for the model %s', async (_, options) => {
    const { services, result } = await attempt(roles, undefined, options);
    // The stand-in reads no pickles.
    await expect(result).rejects.toMatchObject({ code: 'engine-failed' });
    expect(startedRuns(services)).toHaveLength(1);
  });

  it('are not allowed by being allowed for another model, nor under another name', async () => {
    const other = await attempt(roles, undefined, { allowPickle: ['other'] });
    await expect(other.result).rejects.toMatchObject({ code: 'unsupported-weights' });
    const disguised = await attempt({ model: 'sd1.safetensors' }, disguise, { allowPickle: ['test-model'] });
    await expect(disguised.result).rejects.toMatchObject({ code: 'unsupported-weights' });
  });
});

const machineMemory =
  (available: number, total = 2 ** 30) =>
  async () => ({ total, available, swap: 0 });

describe('a run that may not fit into memory', () => {
  it('is made, and what it takes is said before and after', async () => {
    const { result, notices } = await attempt(SOUND, undefined, { machineMemory: machineMemory(1e8) });
    const { warnings, images } = await result;
    expect(images).toHaveLength(1);
    expect(notices).toEqual([expect.stringMatching(/needs about 17\d MB of memory for 64 × 64 pixels, and 100 MB/)]);
    expect(warnings).toEqual(notices);
  });

  it('is reckoned with the size of the image that it begins with', async () => {
    const { services, model } = await servicesWithSample({ machineMemory: machineMemory(1e9) });
    const init_image = join(await temporaryFolder(), 'photo.png');
    await writeFile(init_image, makePng(1024, 768, 3));
    const notices: string[] = [];
    const cancel = new AbortController();
    const result = generateImage(
      services,
      model,
      { prompt: 'a', steps: 1, init_image },
      {
        signal: cancel.signal,
        onProgress: () => undefined,
        onNotice: (text) => {
          notices.push(text);
          cancel.abort();
        }
      }
    );
    await expect(result).rejects.toMatchObject({ code: 'cancelled' });
    expect(notices).toEqual([expect.stringMatching(/needs about \d\.\d GB of memory for 1024 × 768 pixels/)]);
  });

  it('is refused when a single part cannot have room', async () => {
    const { result } = await attempt(SOUND, undefined, { machineMemory: machineMemory(1e8, 1e8) });
    await expect(result).rejects.toMatchObject({ code: 'bad-request', subject: 'CLIP-L text encoder' });
  });

  it('is nothing to speak of when it fits', async () => {
    const { services, model } = await servicesWithSample();
    const notices: string[] = [];
    const request = { prompt: 'a', steps: 2 };
    const options = { signal: new AbortController().signal, onProgress: () => undefined };
    const result = await generateImage(services, model, request, {
      ...options,
      onNotice: (text) => notices.push(text)
    });
    expect([notices, result.warnings]).toEqual([[], []]);
  });
});
