import type { Role } from '../../../shared/roles';

/** What files of these names mostly are. Only suggested to people, who see the outcome; weights tell for certain. */
const NAME_PATTERNS: readonly (readonly [RegExp, Role])[] = [
  [/taesd|tae[fx]l/i, 'taesd'],
  [/clip[_-]?vision/i, 'clip_vision'],
  [/clip[_-]?l/i, 'clip_l'],
  [/clip[_-]?g/i, 'clip_g'],
  [/t5[_-]?xxl|umt5/i, 't5xxl'],
  [/mmproj/i, 'llm_vision'],
  [/qwen.*(vl|instruct)|qwen3/i, 'llm'],
  [/control[_-]?(net|lora)?/i, 'control_net'],
  [/esrgan|upscal|[_-]x[248][_.-]|[248]x[_-]/i, 'upscale_model'],
  [/lora/i, 'lora'],
  [/(^|[_.-])(vae|ae)([_.-]|$)/i, 'vae'],
  [/high[_-]?noise/i, 'high_noise_diffusion_model'],
  [/flux|sd3|qwen[_-]?image|z[_-]?image|wan\d|chroma/i, 'diffusion_model'],
  [/sd[_-]?v?[12]|sdxl|checkpoint/i, 'model']
];

/** The role that a file of this name most likely has; undefined when the name tells nothing. */
export function likelyRole(fileName: string): Role | undefined {
  return NAME_PATTERNS.find(([pattern]) => pattern.test(fileName))?.[1];
}
