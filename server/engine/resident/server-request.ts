import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, join, parse } from 'node:path';
import { Failure } from '../../../shared/failure';
import { Declined } from './declined';

/** Hands numbers, texts and nested objects to sd-server as its interface names them. */
export interface GenerationBody {
  readonly [name: string]: BodyValue;
}

export type BodyValue = string | number | boolean | readonly BodyValue[] | GenerationBody;

/** The arguments of a run of sd-cli, sorted into what a server is started with and what each request says. */
export interface ServerRequest {
  /** What holds as long as the server runs: models, backends, memory. */
  readonly server: readonly string[];
  /** Of them, what a server that runs already need not share. */
  readonly volatile: readonly string[];
  readonly body: GenerationBody;
  /** Absolute paths of the LoRAs that the body names. */
  readonly loras: readonly string[];
}

/** Options that a server is started with; all take a value. Both programs share them (their usage texts). */
const SERVER_VALUES = new Set(
  [
    ['--model', '--diffusion-model', '--high-noise-diffusion-model', '--vae', '--taesd', '--clip_l', '--clip_g'],
    ['--clip_vision', '--t5xxl', '--llm', '--llm_vision', '--control-net'],
    ['--photo-maker', '--ip-adapter', '--motion-module', '--model-args', '--vae-format', '--backend'],
    ['--params-backend', '--split-mode', '--rpc-servers', '--max-vram', '--type', '--rng', '--sampler-rng'],
    ['--prediction', '--lora-apply-mode', '--tensor-type-rules']
  ].flat()
);

/** The same without a value. */
const SERVER_FLAGS = new Set(
  [
    ['--offload-to-cpu', '--diffusion-fa', '--fa', '--mmap', '--stream-layers', '--auto-fit', '--eager-load'],
    ['--clip-on-cpu', '--vae-on-cpu', '--control-net-cpu', '--vae-conv-direct', '--diffusion-conv-direct'],
    ['--force-sdxl-vae-conv-scale']
  ].flat()
);

type Place = readonly string[];

/** Numbers and texts of a request, and where the body has them. */
const SETTINGS: Readonly<Record<string, { readonly at: Place; readonly kind: 'number' | 'text' }>> = {
  '--negative-prompt': { at: ['negative_prompt'], kind: 'text' },
  '--width': { at: ['width'], kind: 'number' },
  '--height': { at: ['height'], kind: 'number' },
  '--seed': { at: ['seed'], kind: 'number' },
  '--batch-count': { at: ['batch_count'], kind: 'number' },
  '--clip-skip': { at: ['clip_skip'], kind: 'number' },
  '--strength': { at: ['strength'], kind: 'number' },
  '--control-strength': { at: ['control_strength'], kind: 'number' },
  '--steps': { at: ['sample_params', 'sample_steps'], kind: 'number' },
  '--sampling-method': { at: ['sample_params', 'sample_method'], kind: 'text' },
  '--scheduler': { at: ['sample_params', 'scheduler'], kind: 'text' },
  '--flow-shift': { at: ['sample_params', 'flow_shift'], kind: 'number' },
  '--eta': { at: ['sample_params', 'eta'], kind: 'number' },
  '--cfg-scale': { at: ['sample_params', 'guidance', 'txt_cfg'], kind: 'number' },
  '--img-cfg-scale': { at: ['sample_params', 'guidance', 'img_cfg'], kind: 'number' },
  '--guidance': { at: ['sample_params', 'guidance', 'distilled_guidance'], kind: 'number' },
  '--hires-upscaler': { at: ['hires', 'upscaler'], kind: 'text' },
  '--hires-scale': { at: ['hires', 'scale'], kind: 'number' },
  '--hires-width': { at: ['hires', 'target_width'], kind: 'number' },
  '--hires-height': { at: ['hires', 'target_height'], kind: 'number' },
  '--hires-steps': { at: ['hires', 'steps'], kind: 'number' },
  '--hires-denoising-strength': { at: ['hires', 'denoising_strength'], kind: 'number' }
};

const FLAGS: Readonly<Record<string, Place>> = {
  '--hires': ['hires', 'enabled'],
  '--vae-tiling': ['vae_tiling_params', 'enabled']
};

/** Images of a request. */
const IMAGES: Readonly<Record<string, { readonly field: string; readonly isList?: true }>> = {
  '--init-img': { field: 'init_image' },
  '--mask': { field: 'mask_image' },
  '--control-image': { field: 'control_image' },
  '--ref-image': { field: 'ref_images', isList: true }
};

/** What only makes sense where files are written, with a value; sd-server has no previews. */
const FOR_FILES = new Set(['--output', '--preview', '--preview-path', '--preview-interval']);

/**
 * Sorts the arguments that sd-cli would get. An option that sd-server has no counterpart for is not dropped.
 * @throws Declined for what only sd-cli does; Failure('bad-request'); system errors when an image cannot be read
 */
export async function serverRequest(options: readonly string[]): Promise<ServerRequest> {
  const server: string[] = [];
  const volatile: string[] = [];
  const body = new Body();
  let [prompt, loraFolder]: (string | undefined)[] = [];
  for (let index = 0; index < options.length; index += 1) {
    const option = options[index] ?? '';
    if (SERVER_FLAGS.has(option)) server.push(option);
    else if (FLAGS[option]) body.set(FLAGS[option], true);
    else {
      index += 1;
      const value = options[index] ?? '';
      if (SERVER_VALUES.has(option)) server.push(option, value);
      else if (option === '--threads') volatile.push(option, value);
      else if (option === '--lora-model-dir') loraFolder = value;
      else if (option === '--prompt') prompt = value;
      else if (SETTINGS[option]) body.set(SETTINGS[option].at, valueOf(SETTINGS[option].kind, option, value));
      else if (IMAGES[option]) body.add(IMAGES[option], (await readFile(value)).toString('base64'));
      else if (!FOR_FILES.has(option)) throw new Declined(`sd-server has nothing like ${option}.`);
    }
  }
  const { text, loras } = await withoutTags(prompt ?? '', loraFolder);
  const field = loras.map(({ path, multiplier }) => ({ path: basename(path), multiplier }));
  return {
    server,
    volatile,
    loras: loras.map(({ path }) => path),
    body: body.with({ prompt: text, ...(field.length > 0 && { lora: field }) })
  };
}

/** The request as it is put together, place by place. */
class Body {
  readonly #root: Record<string, BodyValue> = {};

  set([name = '', ...rest]: Place, value: BodyValue): void {
    const inner = this.#root[name];
    this.#root[name] = rest.length === 0 ? value : setWithin(isObject(inner) ? inner : {}, rest, value);
  }

  add({ field, isList }: { readonly field: string; readonly isList?: true }, image: string): void {
    const before = this.#root[field];
    this.#root[field] = isList ? [...(Array.isArray(before) ? before : []), image] : image;
  }

  with(more: GenerationBody): GenerationBody {
    // Whatever the server was started with: without the settings in the image nobody could check its answer.
    return { ...this.#root, ...more, output_format: 'png', embed_image_metadata: true };
  }
}

function setWithin(object: GenerationBody, [name = '', ...rest]: Place, value: BodyValue): GenerationBody {
  const inner = object[name];
  return { ...object, [name]: rest.length === 0 ? value : setWithin(isObject(inner) ? inner : {}, rest, value) };
}

/** Whether a value holds others by name. */
export function isObject(value: BodyValue | undefined): value is GenerationBody {
  return typeof value === 'object' && !Array.isArray(value);
}

/** A number in quotes would be ignored without a word. */
function valueOf(kind: 'number' | 'text', option: string, value: string): BodyValue {
  if (kind === 'text') return value;
  const number = Number(value);
  if (value !== '' && Number.isFinite(number)) return number;
  throw new Failure('bad-request', `${option} takes a number, not "${value}".`, { subject: option });
}

/** A LoRA that a prompt asks for. */
interface AskedLora {
  /** Absolute, without links: the folder of a run holds links. */
  readonly path: string;
  readonly multiplier: number;
}

const LORA_TAG = /<lora:([^:>]+):([^>]+)>/g;

/** In the order in which sd-cli tries them. */
const LORA_EXTENSIONS = ['.safetensors', '.ckpt', '.pt', '.gguf'];

/** sd-server reads no LoRA tags: what they say goes into a field, with the file's name in the LoRA folder. */
async function withoutTags(
  prompt: string,
  folder: string | undefined
): Promise<{ readonly text: string; readonly loras: readonly AskedLora[] }> {
  const tags = [...prompt.matchAll(LORA_TAG)];
  if (tags.length === 0 || folder === undefined) return { text: prompt, loras: [] };
  const names = await readdir(folder);
  const loras = tags.map(([tag, name = '', weight = '']) => {
    const file = LORA_EXTENSIONS.map((extension) => `${name}${extension}`).find((known) => names.includes(known));
    const multiplier = Number.parseFloat(weight);
    if (file !== undefined && Number.isFinite(multiplier)) return { path: join(folder, file), multiplier };
    throw new Failure('bad-request', `The prompt asks for a LoRA that is not there: ${tag}`, { subject: 'prompt' });
  });
  const found = loras.map(async ({ path, multiplier }) => ({ path: await realpath(path), multiplier }));
  return { text: prompt.replaceAll(LORA_TAG, ''), loras: await Promise.all(found) };
}

/** The names of the files that a server is started with, without folders. */
export function modelFileNames(server: readonly string[]): ReadonlySet<string> {
  return new Set(server.filter((text) => !text.startsWith('--')).map((text) => parse(text).base));
}
