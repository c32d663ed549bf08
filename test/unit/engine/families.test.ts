import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseHelp } from '../../../server/engine/abilities';
import { engineArguments } from '../../../server/engine/arguments/engine-arguments';
import type { EngineFile } from '../../../server/engine/arguments/engine-file';
import { takenInputs } from '../../../server/engine/arguments/family-rules';
import { fillIn } from '../../../server/engine/arguments/fill-in';
import { adviceOnValues } from '../../../server/engine/arguments/heeded-values';
import { identifyModel } from '../../../server/engine/arguments/model-identity';
import type { GenerationRequest } from '../../../shared/generation';
import type { GenerationDefaults } from '../../../shared/manifest/generation-defaults';
import type { Role } from '../../../shared/roles';
import { checkpointOf, described, PUBLISHED, type Tensors } from '../../support/weights/published';
import { failureIn } from './failures';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');
const abilities = parseHelp(readFileSync(join(fixtures, 'sd-cli', 'usage.txt'), 'utf8').split('\n'));

/** A model as its manifest lists it; files whose headers matter have tensors. */
interface Model {
  readonly files: readonly (readonly [Role, Tensors?])[];
  readonly defaults?: GenerationDefaults;
}

const { unet, flux, flux2, sd3, qwen, zImage, wan } = PUBLISHED;
const widerUnet = (width: number): Tensors => ({
  ...unet,
  'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [640, width]
});
const fluxDev: Tensors = { ...flux, 'guidance_in.in_layer.weight': [3072, 256] };
const encoders = [['vae'], ['clip_l'], ['t5xxl']] as const;
const wanImage: Tensors = { ...wan, 'patch_embedding.weight': [5120, 36, 1, 2, 2] };

const MODELS: Readonly<Record<string, Model>> = {
  sd1: { files: [['model', checkpointOf(unet)], ['control_net'], ['lora'], ['upscale_model']] },
  'sd1-split': { files: [['model'], ['diffusion_model', unet], ['taesd']] },
  'sd1-inpaint': { files: [['model', checkpointOf({ ...unet, 'input_blocks.0.0.weight': [320, 9, 3, 3] })]] },
  sd2: { files: [['model', checkpointOf(widerUnet(1024))]] },
  sdxl: { files: [['model', checkpointOf(widerUnet(2048))], ['vae']] },
  'sd3.5': { files: [['model', checkpointOf(sd3)], ['clip_l'], ['clip_g'], ['t5xxl']] },
  'flux-schnell': { files: [['diffusion_model', flux], ...encoders] },
  'flux-dev': { files: [['diffusion_model', fluxDev], ...encoders], defaults: { guidance: 3.5 } },
  'flux-named-model': { files: [['model', fluxDev], ...encoders] },
  'flux-kontext': { files: [['diffusion_model', fluxDev], ...encoders], defaults: { width: 1024, height: 1024 } },
  'flux2-dev': { files: [['diffusion_model', flux2], ['vae'], ['llm']] },
  'flux2-klein': { files: [['diffusion_model', { ...flux2, 'txt_in.weight': [3072, 7680] }], ['vae'], ['llm']] },
  chroma: {
    files: [['diffusion_model', { ...flux, 'distilled_guidance_layer.in_proj.weight': [5120, 64] }], ['vae'], ['t5xxl']]
  },
  'qwen-image': { files: [['diffusion_model', qwen], ['vae'], ['llm']] },
  'qwen-image-edit-2509': { files: [['diffusion_model', qwen], ['vae'], ['llm'], ['llm_vision']] },
  'qwen-image-edit-2511': {
    files: [['diffusion_model', qwen], ['vae'], ['llm'], ['llm_vision']],
    defaults: { model_args: 'qwen_image_zero_cond_t=true' }
  },
  'z-image-turbo': { files: [['diffusion_model', zImage], ['vae'], ['llm']] },
  'z-image-base': { files: [['diffusion_model', zImage], ['vae'], ['llm']], defaults: { steps: 20, cfg_scale: 5 } },
  'wan2.1': { files: [['diffusion_model', wan], ['vae'], ['t5xxl']] },
  'wan2.1-image': { files: [['diffusion_model', wanImage], ['vae'], ['t5xxl'], ['clip_vision']] },
  'wan2.2': { files: [['diffusion_model', wan], ['high_noise_diffusion_model', wan], ['vae'], ['t5xxl']] },
  'wan2.2-image': {
    files: [['diffusion_model', wanImage], ['high_noise_diffusion_model', wanImage], ['vae'], ['t5xxl']]
  },
  unknown: { files: [['model'], ['vae'], ['clip_g']] }
};

const MODES: Readonly<Record<string, Partial<GenerationRequest>>> = {
  'text to image': { video_frames: 1 },
  'what is usual': {},
  'image to image': { init_image: '/in.png', strength: 0.6, video_frames: 1 },
  inpaint: { init_image: '/in.png', mask: '/mask.png', video_frames: 1 },
  edit: { references: ['/one.png', '/two.png'], video_frames: 1 },
  'control net': { control_image: '/pose.png', control_strength: 0.8, video_frames: 1 },
  'hires fix and batch': { hires: { scale: 1.5, strength: 0.4, steps: 10 }, images: 4, video_frames: 1 },
  video: { video_frames: 81, fps: 16 },
  'image to video': { init_image: '/in.png', video_frames: 81 },
  'little memory': { vae_tiling: true, offload_to_cpu: true, flash_attention: true, video_frames: 1 }
};

const files = new Map<string, readonly EngineFile[]>();

beforeAll(async () => {
  for (const [name, model] of Object.entries(MODELS)) {
    const built = model.files.map(async ([role, tensors]) => ({
      role,
      path: `/models/${role}.safetensors`,
      ...(tensors && { weights: await described(tensors) })
    }));
    files.set(name, await Promise.all(built));
  }
});

/** Where the copy of an image lies. */
const copy = (path: string): string => `/scratch/${basename(path)}`;

function commandOf(name: string, asked: Partial<GenerationRequest>, without?: Role) {
  const present = (files.get(name) ?? []).filter(({ role }) => role !== without);
  const request = fillIn({ prompt: 'a cat', ...asked }, identifyModel(present), MODELS[name]?.defaults ?? {});
  const { init_image, mask, references, control_image } = request;
  return engineArguments({
    files: present,
    request,
    inputs: {
      ...(init_image !== undefined && { initImage: copy(init_image) }),
      ...(mask !== undefined && { mask: copy(mask) }),
      ...(references && { references: references.map(copy) }),
      ...(control_image !== undefined && { controlImage: copy(control_image) })
    },
    abilities,
    seed: 7,
    threads: 2,
    output: 'image.png',
    loras: new Set(),
    loraFolder: '/scratch/empty'
  });
}

/** One option a line, what was left out, or why the run is refused. */
function told(name: string, asked: Partial<GenerationRequest>): string {
  try {
    const { options, unsent } = commandOf(name, asked);
    return [options.join(' ').replaceAll(' --', '\n--'), ...unsent.map((sentence) => `# ${sentence}`)].join('\n');
  } catch (error) {
    return `refused: ${error instanceof Error ? error.message : String(error)}`;
  }
}

describe('the arguments of every family and mode', () => {
  it.each(Object.keys(MODELS))('of %s are as they were written down', async (name) => {
    const text = Object.entries(MODES).map(([mode, asked]) => `== ${mode}\n${told(name, asked)}\n`);
    await expect(text.join('\n')).toMatchFileSnapshot(join(fixtures, 'engine-arguments', `${name}.txt`));
  });
});

describe('images that a request may name', () => {
  it.each([
    ['sd1', { references: false, controlImage: true }],
    ['sdxl', { references: false, controlImage: false }],
    ['flux-schnell', { references: false, controlImage: false }],
    ['flux-dev', { references: true, controlImage: false }]
  ])('are those that %s takes', (name, inputs) => {
    expect(takenInputs(identifyModel(files.get(name)!))).toEqual(inputs);
  });
});

describe('what is asked of a family', () => {
  it.each<[string, Partial<GenerationRequest>, string[]]>([
    ['sdxl', { guidance: 3, steps: 20 }, ['guidance changes nothing for models of Stable Diffusion XL.']],
    ['flux-schnell', { guidance: 3 }, ['guidance changes nothing for models of Flux.']],
    ['flux-dev', { guidance: 3, cfg_scale: 1 }, []],
    [
      'flux-dev',
      { cfg_scale: 7 },
      ['Models of Flux are usually run with a cfg_scale of 1, for guidance is part of their weights.']
    ],
    ['flux-dev', { cfg_scale: 7, prompt: 'a cat <lora:undistilled:1>' }, []]
  ])('%s, with %o, is said where it does not help', (name, asked, sentences) => {
    const model = identifyModel(files.get(name)!);
    expect(adviceOnValues({ prompt: 'a cat', ...asked }, model)).toEqual(sentences);
  });
});

describe('a model that lacks a file', () => {
  it.each<[string, Role, Partial<GenerationRequest>]>([
    ['flux-dev', 't5xxl', {}],
    ['flux-dev', 'clip_l', {}],
    ['flux-dev', 'vae', {}],
    ['flux2-dev', 'llm', {}],
    ['chroma', 't5xxl', {}],
    ['qwen-image', 'vae', {}],
    ['qwen-image-edit-2509', 'llm_vision', { references: ['/a.png'] }],
    ['z-image-turbo', 'llm', {}],
    ['wan2.1', 't5xxl', {}],
    ['wan2.1-image', 'clip_vision', { init_image: '/a.png' }],
    ['sd1-split', 'model', {}],
    ['sd1', 'control_net', { control_image: '/a.png' }]
  ])('of %s is refused, and the role %s named', (name, role, asked) => {
    expect(() => commandOf(name, asked)).not.toThrow();
    const failure = failureIn(() => commandOf(name, asked, role));
    expect(failure).toMatchObject({ code: 'bad-request', subject: role });
    expect(failure.message).toContain(`a file with the role "${role}", and the model has none.`);
  });
});

describe('values of a run', () => {
  it('are those of the request over those of the manifest over those of the family', () => {
    const family = commandOf('flux-schnell', {}).options.join(' ');
    expect(family).toContain('--steps 4 --cfg-scale 1');
    expect(commandOf('z-image-base', {}).options.join(' ')).toContain('--steps 20 --cfg-scale 5');
    expect(commandOf('z-image-base', { steps: 30 }).options.join(' ')).toContain('--steps 30 --cfg-scale 5');
  });

  it('take the size of an image, unless the request names one', () => {
    expect(commandOf('flux-kontext', { references: ['/a.png'] }).options).not.toContain('--width');
    expect(commandOf('flux-kontext', {}).options).toContain('--width');
    expect(commandOf('sdxl', { init_image: '/a.png', width: 768 }).options.join(' ')).toContain('--width 768');
  });

  it('are refused when the build does not know the sampler', () => {
    const failure = failureIn(() => commandOf('sd1', { sampling_method: 'euler_z' }));
    expect(failure).toMatchObject({ code: 'bad-request', subject: 'sampling_method' });
    expect(failure.nextStep).toContain('euler_a');
  });
});
