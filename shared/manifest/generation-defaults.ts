import * as z from 'zod';
import { filledText, numberBetween, truth, wholeNumber } from './value-rules';

/** Image sides in pixels that we pass to the engine: it rounds up to multiples of 64 itself. */
const side = wholeNumber(64, 8192);

/** What sd-cli takes as `--model-args`. */
const MODEL_ARGS = /^\w+=[\w.+-]+(,\w+=[\w.+-]+)*$/;

/**
 * What a manifest says about generating with its model, and what a request may say instead: request values win
 * over the manifest's. Names follow sd-cli's long options with underscores.
 */
export const generationDefaults = z.looseObject({
  width: side.optional().meta({ description: 'Image width in pixels.' }),
  height: side.optional().meta({ description: 'Image height in pixels.' }),
  steps: wholeNumber(1, 1000).optional().meta({ description: 'Number of sampling steps.' }),
  cfg_scale: numberBetween(0, 100).optional().meta({ description: 'Classifier-free guidance (CFG) scale.' }),
  guidance: numberBetween(0, 100).optional().meta({ description: 'Distilled guidance scale (Flux).' }),
  sampling_method: filledText().optional().meta({ description: 'Sampler, for example euler_a.' }),
  scheduler: filledText().optional().meta({ description: 'Noise schedule, for example karras.' }),
  negative_prompt: z.string('must be a text').optional().meta({ description: 'What the image should not show.' }),
  clip_skip: wholeNumber(-1, 24).optional().meta({ description: 'Last CLIP layers to skip.' }),
  flow_shift: z.number('must be a number').optional().meta({ description: 'Shift of flow-matching models.' }),
  high_noise_steps: wholeNumber(1, 1000)
    .optional()
    .meta({ description: 'Number of sampling steps of the high-noise model (Wan 2.2).' }),
  high_noise_cfg_scale: numberBetween(0, 100)
    .optional()
    .meta({ description: 'CFG scale of the high-noise model (Wan 2.2).' }),
  video_frames: wholeNumber(1, 1000).optional().meta({ description: 'Number of frames of a video.' }),
  fps: wholeNumber(1, 120).optional().meta({ description: 'Frames of a video in a second.' }),
  model_args: z
    .string('must be a text')
    .regex(MODEL_ARGS, 'must be a list like key=value,key=value')
    .optional()
    .meta({ description: 'What sd-cli takes as --model-args, for example qwen_image_zero_cond_t=true.' }),
  vae_tiling: truth().optional().meta({ description: 'Decodes in tiles, which takes less memory.' }),
  offload_to_cpu: truth()
    .optional()
    .meta({ description: 'Keeps weights in main memory, and moves them to the graphics card when they are needed.' }),
  flash_attention: truth().optional().meta({ description: 'Takes less memory in the diffusion model.' })
});

export type GenerationDefaults = z.infer<typeof generationDefaults>;
