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

const roles: ReadonlySet<string> = new Set(ROLES);

/** Whether a text is one of {@link ROLES}. */
export function isRole(text: string): text is Role {
  return roles.has(text);
}

/** What each role means, for people. */
export const ROLE_MEANINGS: Readonly<Record<Role, string>> = {
  model: 'A whole checkpoint: diffusion model, text encoders and VAE in one file.',
  diffusion_model: 'The diffusion model alone; text encoders and VAE are files of their own.',
  high_noise_diffusion_model: 'The diffusion model for the noisy half of the steps (Wan 2.2).',
  vae: 'The VAE that turns latents into pixels.',
  taesd: 'A tiny autoencoder for fast, rough decoding and previews.',
  clip_l: 'The CLIP-L text encoder (Flux, SD3).',
  clip_g: 'The CLIP-G text encoder (SD3).',
  clip_vision: 'The CLIP image encoder (image to video).',
  t5xxl: 'The T5-XXL text encoder (Flux, SD3, Wan).',
  llm: 'The language model that reads the prompt (Qwen-Image, Z-Image, Flux.2).',
  llm_vision: 'The vision part of the language model (Qwen-Image Edit).',
  control_net: 'A ControlNet that guides the image by a control image.',
  upscale_model: 'An ESRGAN model that enlarges images.',
  lora: 'A LoRA, named in prompts as <lora:NAME:WEIGHT>.',
  embedding: 'A textual inversion, named in prompts by its file name.',
  motion_module: 'A motion module for animations.',
  photo_maker: 'A PhotoMaker identity encoder.',
  ip_adapter: 'An IP-Adapter that takes images as prompts.'
};
