import type { ServerCapabilities } from './server-api';
import { type GenerationBody, isObject } from './server-request';

/** Fields of a request that need an ability of the server, and its name. */
const FEATURES: readonly (readonly [field: string, feature: string, words: string])[] = [
  ['init_image', 'init_image', 'input images'],
  ['mask_image', 'mask_image', 'masks'],
  ['control_image', 'control_image', 'control images'],
  ['ref_images', 'ref_images', 'reference images'],
  ['lora', 'lora', 'LoRAs'],
  ['hires', 'hires', 'a second pass at a higher resolution']
];

/** More steps sd-server cuts to these without a word, as its own limits do not tell (`SDGenerationParams::resolve`). */
const MOST_STEPS = 100;

/**
 * Why a server cannot do a request. Asked before it is sent, for what a server does not know it ignores without a
 * word, samplers included.
 * @returns one sentence, or undefined
 */
export function declineReason(
  { features_by_mode, limits, samplers, schedulers }: ServerCapabilities,
  body: GenerationBody,
  images: number
): string | undefined {
  const features = features_by_mode.img_gen;
  if (!features) return 'sd-server makes no images with this model.';
  const missing = FEATURES.find(([field, feature]) => body[field] !== undefined && features[feature] !== true);
  if (missing) return `This sd-server does not take ${missing[2]}.`;
  if (images > limits.max_batch_count) return `sd-server makes at most ${limits.max_batch_count} images at once.`;
  const { width, height, sample_params: sampling } = body;
  if (isOver(width, limits.max_width) || isOver(height, limits.max_height)) {
    return `sd-server makes images of at most ${limits.max_width} × ${limits.max_height} pixels.`;
  }
  const { sample_method: method, scheduler, sample_steps: steps } = isObject(sampling) ? sampling : {};
  if (isOver(steps, MOST_STEPS)) return `sd-server makes at most ${MOST_STEPS} steps.`;
  if (typeof method === 'string' && !samplers.includes(method)) {
    return `This sd-server does not know the sampling method "${method}".`;
  }
  if (typeof scheduler === 'string' && !schedulers.includes(scheduler)) {
    return `This sd-server does not know the scheduler "${scheduler}".`;
  }
  return undefined;
}

function isOver(value: unknown, limit: number): boolean {
  return typeof value === 'number' && value > limit;
}
