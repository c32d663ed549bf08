import { randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stopped } from './stopped.mjs';

const DEFAULT_EDGE = 512;
const EDGE_MULTIPLE = 64;
const LORA_TAG = /<lora:([^:>]+):([^>]+)>/g;
const LORA_EXTENSIONS = ['.safetensors', '.ckpt', '.pt', '.gguf'];

/** Options of image runs that the recordings do not show or the stand-in does not replay; it refuses them. */
const NOT_REPLAYED = [
  ['--high-noise-diffusion-model', '--uncond-diffusion-model', '--embeddings-connectors', '--audio-vae', '--t5xxl'],
  ['--llm', '--llm_vision', '--clip_vision', '--ip-adapter', '--motion-module', '--photo-maker', '--pulid-weights'],
  ['--upscale-model', '--ref-image', '--ref-video', '--ref-audio', '--control-image', '--imat-out', '--ad-model']
].flat();

/** The first option given that the stand-in does not replay, or undefined. */
export function unreplayedOption(values) {
  return NOT_REPLAYED.find((name) => values.has(name));
}

/** Turns parsed options into the request of one image run. Reads the prompt files; throws `Stopped` without them. */
export function imageRequest(values) {
  const rawPrompt = fromFile(values.get('--prompt-file')) ?? values.get('--prompt') ?? '';
  const seed = values.get('--seed') ?? 42;
  return {
    models: modelPaths(values),
    rawPrompt,
    prompt: rawPrompt.replaceAll(LORA_TAG, ''),
    negative: fromFile(values.get('--negative-prompt-file')) ?? values.get('--negative-prompt') ?? '',
    loras: findLoras(rawPrompt, values.get('--lora-model-dir') ?? '.'),
    width: positive(values.get('--width')),
    height: positive(values.get('--height')),
    steps: values.get('--steps') ?? 20,
    seed: seed < 0 ? randomInt(2 ** 31) : seed,
    batch: Math.max(1, values.get('--batch-count') ?? 1),
    strength: values.get('--strength') ?? 0.75,
    sampler: values.get('--sampling-method') ?? 'euler_a',
    scheduler: values.get('--scheduler') ?? 'discrete',
    initImage: values.get('--init-img'),
    mask: values.get('--mask'),
    tiling: values.has('--vae-tiling'),
    preview: { method: values.get('--preview') ?? 'none', path: values.get('--preview-path') ?? 'preview.png' },
    taesdForPreviewOnly: values.has('--taesd-preview-only'),
    hires: values.has('--hires') ? hires(values) : undefined,
    backend: values.get('--backend') ?? '',
    output: values.get('--output') ?? 'output.png',
    beginIndex: values.get('--output-begin-idx') ?? 0,
    withMetadata: !values.has('--disable-image-metadata'),
    guidance: guidance(values)
  };
}

/** Edges that the picture really gets: missing ones become 512, then both are rounded up to multiples of 64. */
export function alignedSize({ width = DEFAULT_EDGE, height = DEFAULT_EDGE }) {
  return { asked: { width, height }, width: alignedEdge(width), height: alignedEdge(height) };
}

function alignedEdge(edge) {
  return Math.ceil(edge / EDGE_MULTIPLE) * EDGE_MULTIPLE;
}

function modelPaths(values) {
  return {
    model: values.get('--model') ?? '',
    diffusionModel: values.get('--diffusion-model') ?? '',
    clipL: values.get('--clip_l') ?? '',
    clipG: values.get('--clip_g') ?? '',
    vae: values.get('--vae') ?? '',
    taesd: values.get('--taesd') ?? '',
    controlNet: values.get('--control-net') ?? ''
  };
}

function guidance(values) {
  return {
    cfgScale: values.get('--cfg-scale') ?? 7,
    imageCfgScale: values.get('--img-cfg-scale'),
    distilled: values.get('--guidance') ?? 3.5,
    eta: values.get('--eta'),
    flowShift: values.get('--flow-shift'),
    clipSkip: values.get('--clip-skip') ?? -1,
    controlStrength: values.get('--control-strength') ?? 0.9
  };
}

function hires(values) {
  return {
    steps: values.get('--hires-steps') ?? 0,
    scale: values.get('--hires-scale') ?? 2,
    width: values.get('--hires-width') ?? 0,
    height: values.get('--hires-height') ?? 0,
    upscaler: values.get('--hires-upscaler') ?? 'Latent',
    strength: values.get('--hires-denoising-strength') ?? 0.7,
    tileSize: values.get('--hires-upscale-tile-size') ?? 128
  };
}

function findLoras(prompt, folder) {
  return [...prompt.matchAll(LORA_TAG)].map(([, name, weight]) => {
    const base = folder === '.' ? name : join(folder, name);
    const path = LORA_EXTENSIONS.map((extension) => base + extension).find((candidate) => existsSync(candidate));
    return { base, path, weight: Number.parseFloat(weight) };
  });
}

function fromFile(path) {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new Stopped(`has no recording of a prompt file that cannot be read: ${path}`);
  }
}

function positive(edge) {
  return edge !== undefined && edge > 0 ? edge : undefined;
}
