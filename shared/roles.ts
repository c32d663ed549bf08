/** What a file of a model is to the engine. */
export const ROLES = [
  'model',
  'diffusion_model',
  'high_noise_diffusion_model',
  'vae',
  'taesd',
  'clip_l',
  'clip_g',
  'clip_vision',
  't5xxl',
  'llm',
  'llm_vision',
  'control_net',
  'upscale_model',
  'lora',
  'embedding',
  'motion_module',
  'photo_maker',
  'ip_adapter'
] as const;

export type Role = (typeof ROLES)[number];

/** What a model is made for. */
export const TASKS = ['text-to-image', 'image-to-image', 'inpaint', 'edit', 'upscale', 'video'] as const;
