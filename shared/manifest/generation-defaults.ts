import * as z from 'zod';

/** Image sides in pixels that we pass to the engine: it rounds up to multiples of 64 itself. */
const side = z.int().min(64).max(8192);

/**
 * What a manifest says about generating with its model, and what a request may say instead: request values win
 * over the manifest's. Names follow sd-cli's long options with underscores.
 */
export const generationDefaults = z.looseObject({
  width: side.optional().meta({ description: 'Image width in pixels.' }),
  height: side.optional().meta({ description: 'Image height in pixels.' }),
  steps: z.int().min(1).max(1000).optional().meta({ description: 'Number of sampling steps.' }),
  cfg_scale: z.number().min(0).max(100).optional().meta({ description: 'Classifier-free guidance (CFG) scale.' }),
  guidance: z.number().min(0).max(100).optional().meta({ description: 'Distilled guidance scale (Flux).' }),
  sampling_method: z.string().min(1).optional().meta({ description: 'Sampler, for example euler_a.' }),
  scheduler: z.string().min(1).optional().meta({ description: 'Noise schedule, for example karras.' }),
  negative_prompt: z.string().optional().meta({ description: 'What the image should not show.' }),
  clip_skip: z.int().min(-1).max(24).optional().meta({ description: 'Last CLIP layers to skip.' }),
  flow_shift: z.number().optional().meta({ description: 'Shift of flow-matching models.' })
});

export type GenerationDefaults = z.infer<typeof generationDefaults>;
