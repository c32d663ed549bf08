import { basename } from 'node:path';
import { GENERATOR } from './recorded.mjs';
import { alignedSize } from './request.mjs';

/** The text that an image carries: prompt, settings, and the settings again as JSON after `SDCPP: `. */
export function parametersText(request, seed) {
  const { asked } = alignedSize(request);
  const { cfgScale, distilled, eta } = request.guidance;
  const fields = [
    `Steps: ${request.steps}`,
    `CFG scale: ${cfgScale.toFixed(6)}`,
    `Guidance: ${distilled.toFixed(6)}`,
    `Eta: ${eta === undefined ? 'inf' : eta.toFixed(6)}`,
    `Seed: ${seed}`,
    `Size: ${asked.width}x${asked.height}`,
    ...named('Model', request.models.model),
    'RNG: cuda',
    `Sampler: ${request.sampler === undefined ? 'NONE' : `${request.sampler} ${request.scheduler}`}`,
    ...named('Unet', request.models.diffusionModel),
    ...named('VAE', request.models.vae),
    ...(request.hires === undefined ? [] : hiresFields(request.hires)),
    'Version: stable-diffusion.cpp stand-in',
    `SDCPP: ${JSON.stringify(settings(request, seed, asked))}`
  ];
  const negative = request.negative === '' ? '' : `Negative prompt: ${request.negative}\n`;
  return `${request.rawPrompt}\n${negative}${fields.join(', ')}`;
}

function named(label, path) {
  return path === '' ? [] : [`${label}: ${basename(path)}`];
}

function hiresFields({ upscaler, scale, width, height, steps, strength }) {
  return [
    `Hires upscale: ${upscaler}`,
    `Hires scale: ${scale.toFixed(6)}`,
    `Hires resize: ${width}x${height}`,
    `Hires steps: ${steps}`,
    `Denoising strength: ${strength.toFixed(6)}`
  ];
}

/** The keys are in alphabetical order, as the recorded program writes them. */
function settings(request, seed, asked) {
  const loras = request.loras.filter(({ path }) => path !== undefined);
  return {
    auto_resize_ref_image: true,
    clip_skip: request.guidance.clipSkip,
    control_strength: Math.fround(request.guidance.controlStrength),
    generator: GENERATOR,
    height: asked.height,
    ...(request.hires === undefined ? {} : { hires: hiresSettings(request.hires) }),
    increase_ref_index: false,
    ip_adapter_strength: 1,
    ...(loras.length === 0 ? {} : { loras: loras.map(loraSettings) }),
    mode: 'img_gen',
    models: modelSettings(request.models),
    prompt: { negative: request.negative, positive: request.prompt },
    rng: 'cuda',
    sampling: samplingSettings(request),
    schema: 'sdcpp.image.params/v1',
    seed,
    strength: Math.fround(request.strength),
    ...(request.tiling ? { vae_tiling: tilingSettings() } : {}),
    width: asked.width
  };
}

function modelSettings({ diffusionModel, model, taesd, vae }) {
  const paths = { diffusion_model: diffusionModel, model, taesd, vae };
  const given = Object.entries(paths).filter(([, path]) => path !== '');
  return Object.fromEntries(given.map(([role, path]) => [role, basename(path)]));
}

function loraSettings({ path, weight }) {
  return { is_high_noise: false, multiplier: Math.fround(weight), name: basename(path) };
}

function hiresSettings({ strength, scale, steps, width, height, tileSize, upscaler }) {
  return {
    custom_sigmas: [],
    denoising_strength: Math.fround(strength),
    enabled: true,
    model: '',
    scale,
    steps,
    target_height: height,
    target_width: width,
    upscale_tile_size: tileSize,
    upscaler
  };
}

function samplingSettings({ guidance, sampler, scheduler, steps }) {
  return {
    custom_sigmas: [],
    eta: guidance.eta ?? null,
    extra_sample_args: '',
    flow_shift: guidance.flowShift ?? null,
    guidance: {
      distilled_guidance: guidance.distilled,
      img_cfg: guidance.imageCfgScale ?? null,
      slg: { end: Math.fround(0.2), layers: [7, 8, 9], scale: 0, start: Math.fround(0.01) },
      txt_cfg: guidance.cfgScale
    },
    method: sampler,
    scheduler,
    shifted_timestep: 0,
    steps
  };
}

function tilingSettings() {
  return {
    enabled: true,
    extra_tiling_args: '',
    rel_size_x: 0,
    rel_size_y: 0,
    target_overlap: 0.5,
    temporal_tiling: false,
    tile_size_x: 0,
    tile_size_y: 0
  };
}
