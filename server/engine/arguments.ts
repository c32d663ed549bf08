import { dirname, parse } from 'node:path';
import { Failure } from '../../shared/failure';
import type { GenerationRequest } from '../../shared/generation';
import type { GenerationDefaults } from '../../shared/manifest/generation-defaults';
import type { Role } from '../../shared/roles';
import { checkLoraTags, checkText } from './prompt';

/** One file of a model as the engine sees it. */
export interface EngineFile {
  readonly role: Role;
  /** Absolute path. */
  readonly path: string;
}

export interface GenerationArguments {
  readonly files: readonly EngineFile[];
  /** The manifest's defaults. */
  readonly defaults: GenerationDefaults;
  readonly request: GenerationRequest;
  readonly seed: number;
  /** How many images; the second has the next seed, and so on. */
  readonly images: number;
  readonly threads: number;
  /** Name or path of the image that we chose; the engine numbers the files of a batch. */
  readonly output: string;
  /** A folder without files, for models without a LoRA: else the engine searches its working directory. */
  readonly emptyFolder: string;
}

/** How each role reaches the engine. A `companion` needs input images and is left out of text-to-image. */
const ROLE_OPTIONS: Readonly<Record<Role, `--${string}` | 'lora-folder' | 'companion' | 'unsupported'>> = {
  model: '--model',
  diffusion_model: '--diffusion-model',
  high_noise_diffusion_model: '--high-noise-diffusion-model',
  vae: '--vae',
  taesd: '--taesd',
  clip_l: '--clip_l',
  clip_g: '--clip_g',
  clip_vision: '--clip_vision',
  t5xxl: '--t5xxl',
  llm: '--llm',
  llm_vision: '--llm_vision',
  upscale_model: '--upscale-model',
  lora: 'lora-folder',
  control_net: 'companion',
  motion_module: 'companion',
  photo_maker: 'companion',
  ip_adapter: 'companion',
  // The engine takes a folder and tries every file in it, which must not be the whole bundle.
  embedding: 'unsupported'
};

/** Settings that a request may give and a manifest may give a default for, and their options. */
const SETTING_OPTIONS = [
  ['width', '--width'],
  ['height', '--height'],
  ['steps', '--steps'],
  ['cfg_scale', '--cfg-scale'],
  ['guidance', '--guidance'],
  ['sampling_method', '--sampling-method'],
  ['scheduler', '--scheduler'],
  ['negative_prompt', '--negative-prompt'],
  ['clip_skip', '--clip-skip'],
  ['flow_shift', '--flow-shift']
] as const;

/**
 * The arguments that generate images from a prompt: values of the request win over the manifest's defaults, those
 * over the engine's. Every option is followed by its value, so that no text is ever read as an option.
 * @throws Failure 'bad-request' when a text, a LoRA tag or a file cannot be passed on
 */
export function generationArguments(input: GenerationArguments): string[] {
  const { files, defaults, request, seed, images, threads, output, emptyFolder } = input;
  const loras = files.filter(({ role }) => role === 'lora').map(({ path }) => path);
  const names = new Set(loras.map((path) => parse(path).name));
  checkText('prompt', request.prompt);
  checkLoraTags('prompt', request.prompt, names);
  checkLoraTags('negative_prompt', request.negative_prompt ?? defaults.negative_prompt ?? '', names);
  const options: readonly (readonly [string, string])[] = [
    ...fileOptions(files),
    ['--lora-model-dir', loraFolder(loras) ?? emptyFolder],
    ...settingOptions(defaults, request),
    ['--batch-count', String(images)],
    ['--seed', String(seed)],
    ['--threads', String(threads)],
    ['--prompt', request.prompt],
    ['--output', output]
  ];
  return options.flat();
}

function fileOptions(files: readonly EngineFile[]): ReadonlyMap<string, string> {
  if (!files.some(({ role }) => role === 'model' || role === 'diffusion_model')) {
    throw new Failure('bad-request', 'The model has no file with the role "model" or "diffusion_model".', {
      subject: 'files',
      nextStep: 'Give the file with the weights one of these roles in the manifest.'
    });
  }
  const options = new Map<string, string>();
  for (const { role, path } of files) {
    const option = ROLE_OPTIONS[role];
    if (option === 'unsupported') {
      throw new Failure('bad-request', `Files with the role "${role}" are not supported.`, {
        subject: parse(path).base,
        nextStep: 'Remove the file from the manifest.'
      });
    }
    if (option === 'lora-folder' || option === 'companion') continue;
    const other = options.get(option);
    if (other !== undefined) {
      throw new Failure(
        'bad-request',
        `Two files have the role "${role}": ${parse(other).base} and ${parse(path).base}.`,
        {
          subject: parse(path).base,
          nextStep: 'Keep one of them, or correct its role.'
        }
      );
    }
    options.set(option, path);
  }
  return options;
}

function loraFolder(paths: readonly string[]): string | undefined {
  const [folder, ...others] = new Set(paths.map((path) => dirname(path)));
  if (others.length === 0) return folder;
  throw new Failure('bad-request', 'The LoRA files of the model lie in different folders.', {
    subject: 'files',
    nextStep: 'Put them into one folder.'
  });
}

function settingOptions(defaults: GenerationDefaults, request: GenerationRequest): [string, string][] {
  return SETTING_OPTIONS.flatMap(([name, option]) => {
    const value = request[name] ?? defaults[name];
    if (value === undefined) return [];
    checkText(name, String(value));
    return [[option, String(value)]];
  });
}
