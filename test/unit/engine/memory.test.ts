import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { decoderBuffer, diffusionBuffer, type RunShape } from '../../../server/engine/memory/compute-buffers';
import { memoryAdvice } from '../../../server/engine/memory/memory-advice';
import { estimateRun, sum, type WeighedFile } from '../../../server/engine/memory/run-memory';
import { describeWeights } from '../../../server/weights/describe';
import { readWeights } from '../../../server/weights/headers/read-weights';
import type { Role } from '../../../shared/roles';
import { createModelFolder } from '../../support/stand-in/testing/model-folder';
import { temporaryFolder } from '../../support/temporary-folder';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

let folder: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  createModelFolder(folder);
});

async function weighed(role: Role, name: string): Promise<WeighedFile> {
  return { role, weights: describeWeights(await readWeights(join(folder, name), { pickles: 'refused' })) };
}

const SPLIT = [
  ['model', 'te-sd1-q1_0.gguf'],
  ['diffusion_model', 'unet-sd1.safetensors'],
  ['taesd', 'taesd.safetensors']
] as const;

const filesOf = (named: readonly (readonly [Role, string])[]): Promise<WeighedFile[]> =>
  Promise.all(named.map(([role, name]) => weighed(role, name)));

/** A line of a recording. */
function recorded(run: string, pattern: RegExp): RegExpExecArray {
  const path = join(__dirname, '..', '..', 'fixtures', 'sd-cli', 'runs', `${run}.json`);
  const match = pattern.exec(readFileSync(path, 'utf8'));
  if (!match) throw new Error(`${run} has no such line`);
  return match;
}

const shape = (side: number, fields: Partial<RunShape> = {}): RunShape => ({
  width: side,
  height: side,
  frames: 1,
  flashAttention: false,
  vaeTiling: false,
  hasTinyDecoder: false,
  ...fields
});

const names = (files: readonly WeighedFile[]) => estimateRun(files, {})?.weights.map(({ what }) => what);

describe('the memory of a run', () => {
  it.each([
    ['txt2img-split-vae', [SPLIT[0], SPLIT[1], ['vae', 'vae-kl.safetensors']]],
    ['img2img', SPLIT],
    ['txt2img-png', [['model', 'sd1.safetensors']]],
    ['txt2img-tiny-unet', [SPLIT[0], ['diffusion_model', 'unet-sd1-tiny.safetensors'], SPLIT[2]]]
  ] as const)('has the weights that the engine loaded in %s', async (run, named) => {
    const [, mebibytes] = recorded(run, /total params memory size = ([\d.]+)MB/);
    const memory = estimateRun(await filesOf(named), { width: 64, height: 64 });
    expect(sum(memory?.weights ?? []) / MIB / Number(mebibytes)).toBeCloseTo(1, 1);
  });

  it('has the attention that the engine asked for at 4096 × 4096', () => {
    const [, mebibytes] = recorded('size-4096-ulimit', /attempted to allocate ([\d.]+) MB/);
    const estimated = diffusionBuffer('sd1', shape(4096)) ?? 0;
    expect(estimated / MIB / Number(mebibytes)).toBeCloseTo(1, 2);
  });

  it('has the decoders that logs of the engine tell of', () => {
    expect(decoderBuffer('sd1', shape(64, { hasTinyDecoder: true })) / MIB).toBeCloseTo(7.5, 5);
    expect(decoderBuffer('flux', shape(512)) / MIB).toBe(1664);
    expect(decoderBuffer('flux', shape(1024)) / MIB).toBeCloseTo(6657, -1);
    expect(decoderBuffer('qwen-image', shape(256)) / MIB).toBeCloseTo(482.29, 0);
    expect(diffusionBuffer('sd1', shape(512))! / MIB).toBeCloseTo(557, 0);
  });

  it('counts a VAE of its own instead of that of the checkpoint', async () => {
    const checkpoint = await weighed('model', 'sd1.safetensors');
    const decoder = await weighed('taesd', 'taesd.safetensors');
    expect(names([checkpoint])).toContain('VAE');
    expect(names([checkpoint, decoder])).toEqual(
      expect.arrayContaining(['CLIP-L text encoder', 'tiny autoencoder (TAESD)'])
    );
    expect(names([checkpoint, decoder])).not.toContain('VAE');
  });

  it('is not guessed where a header says nothing', async () => {
    expect(estimateRun([], {})).toBeUndefined();
    expect(estimateRun([...(await filesOf(SPLIT)), { role: 't5xxl' }], {})).toBeUndefined();
    expect(estimateRun([...(await filesOf(SPLIT)), { role: 'upscale_model' }], {})).toBeDefined();
  });

  it('never grows by what makes it smaller, nor shrinks with the image', async () => {
    const files = await filesOf(SPLIT);
    const side = fc.integer({ min: 64, max: 8192 });
    const property = fc.property(
      side,
      side,
      fc.boolean(),
      fc.boolean(),
      (width, height, vae_tiling, flash_attention) => {
        const peak = (request: object): number => estimateRun(files, { width, height, ...request })?.peakBytes ?? 0;
        expect(peak({ vae_tiling, flash_attention })).toBeLessThanOrEqual(peak({}));
        expect(peak({})).toBeLessThanOrEqual(peak({ width: width + 64 }));
        expect(peak({})).toBeLessThanOrEqual(peak({ hires: { scale: 2 } }));
      }
    );
    fc.assert(property, { numRuns: 200, seed: 3 });
  });
});

describe('what is said before a run', () => {
  const machine = { total: 2 * GIB, available: GIB, swap: 0 };

  it('is nothing when it fits, or when nobody can tell', async () => {
    const files = await filesOf(SPLIT);
    expect(memoryAdvice(files, { width: 64, height: 64 }, machine)).toBeUndefined();
    expect(memoryAdvice([{ role: 'model' }], { width: 8192, height: 8192 }, machine)).toBeUndefined();
  });

  it('is what it takes, what is there, and what helps', async () => {
    const files = [...(await filesOf([SPLIT[0], SPLIT[1]])), await weighed('vae', 'vae-kl.safetensors')];
    expect(memoryAdvice(files, { width: 512, height: 512 }, machine)).toBe(
      'By an estimate, the run needs about 2.0 GB of memory for 512 × 512 pixels, and 1.1 GB of memory are free. ' +
        'With vae_tiling it would be about 819 MB. What a graphics card has is not known here; offload_to_cpu keeps its ' +
        'weights in main memory meanwhile.'
    );
    expect(memoryAdvice(files, { width: 1024, height: 1024 }, machine)).toContain(
      'With vae_tiling and flash_attention'
    );
    const little = { ...machine, available: 7e8 };
    expect(memoryAdvice(await filesOf(SPLIT), { width: 512, height: 512 }, little)).toContain(
      'With flash_attention it'
    );
  });

  it('compares with the whole memory where the system does not tell how much is free', async () => {
    const files = await filesOf(SPLIT);
    expect(memoryAdvice(files, { width: 512, height: 512 }, { total: 2 * GIB })).toBeUndefined();
    expect(memoryAdvice(files, { width: 512, height: 512 }, { total: GIB / 2 })).toContain('the machine has 537 MB');
  });

  it('is a refusal only when a single part is larger than memory and swap together', async () => {
    const files = await filesOf(SPLIT);
    const small = { total: 100 * MIB, available: MIB };
    const refused = () => memoryAdvice(files, { width: 64, height: 64 }, { ...small, swap: 50 * MIB });
    expect(refused).toThrow('The CLIP-L text encoder alone takes 164 MB of memory, and the machine has 157 MB');
    expect(memoryAdvice(files, { width: 64, height: 64 }, { ...small, swap: 100 * MIB })).toContain('needs about');
    expect(memoryAdvice(files, { width: 64, height: 64 }, small)).toContain('needs about');
  });
});
