import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { decodePng } from './png.mjs';

/** Parameters that the recorded server refuses; `source` is where its log says so. */
export class BadRequest extends Error {
  constructor(source, message) {
    super(message);
    this.source = source;
  }
}

/**
 * The request of one job: what the server was started with, and over it what the body gives. As recorded, a value of
 * a wrong type counts as not given, and LoRA tags in the prompt are text.
 */
export function jobRequest(defaults, body, loras) {
  const sampling = object(body.sample_params);
  const guidance = object(sampling.guidance);
  const prompt = text(body.prompt) ?? defaults.prompt;
  const strength = number(body.strength) ?? defaults.strength;
  if (strength < 0 || strength > 1) {
    throw new BadRequest('common.cpp:2384', 'error: can only work with strength in [0.0, 1.0]');
  }
  const seed = number(body.seed) ?? defaults.seed;
  return {
    ...defaults,
    prompt,
    rawPrompt: prompt,
    negative: text(body.negative_prompt) ?? defaults.negative,
    width: number(body.width) ?? defaults.width,
    height: number(body.height) ?? defaults.height,
    steps: number(sampling.sample_steps) ?? defaults.steps,
    seed: seed < 0 ? randomInt(2 ** 31) : seed,
    batch: number(body.batch_count) ?? 1,
    strength,
    sampler: text(sampling.sample_method),
    scheduler: text(sampling.scheduler),
    initImage: image(body.init_image, 'init_image'),
    mask: image(body.mask_image, 'mask_image'),
    tiling: object(body.vae_tiling_params).enabled === true,
    hires: object(body.hires).enabled === true ? hires(body.hires) : undefined,
    loras: (Array.isArray(body.lora) ? body.lora : []).map((lora) => loraOf(lora, loras)),
    withMetadata: body.embed_image_metadata !== false,
    guidance: {
      ...defaults.guidance,
      cfgScale: number(guidance.txt_cfg) ?? defaults.guidance.cfgScale,
      distilled: number(guidance.distilled_guidance) ?? defaults.guidance.distilled,
      clipSkip: number(body.clip_skip) ?? defaults.guidance.clipSkip,
      flowShift: number(sampling.flow_shift) ?? defaults.guidance.flowShift
    }
  };
}

function object(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function text(value) {
  return typeof value === 'string' ? value : undefined;
}

function number(value) {
  return typeof value === 'number' ? value : undefined;
}

/** Base64, also as a data URL, of an image whose kind is told by its first bytes. */
function image(value, field) {
  if (typeof value !== 'string') return undefined;
  const bytes = Buffer.from(value.replace(/^data:[^,]*,/, ''), 'base64');
  const isJpeg = bytes.length > 4 && bytes.readUInt16BE(0) === 0xffd8;
  const isWebp = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP';
  if (decodePng(bytes) === undefined && !isJpeg && !isWebp) throw new BadRequest('common.cpp:2100', `invalid ${field}`);
  return bytes;
}

function loraOf(value, { folder, names }) {
  const { path, multiplier } = object(value);
  if (!names.includes(path)) throw new BadRequest('common.cpp:2096', 'invalid lora');
  return { base: path, path: join(folder, path), weight: number(multiplier) ?? 1 };
}

function hires(given) {
  return {
    steps: number(given.steps) ?? 0,
    scale: number(given.scale) ?? 2,
    width: number(given.target_width) ?? 0,
    height: number(given.target_height) ?? 0,
    upscaler: text(given.upscaler) ?? 'Latent',
    strength: number(given.denoising_strength) ?? 0.7,
    tileSize: number(given.upscale_tile_size) ?? 128
  };
}
