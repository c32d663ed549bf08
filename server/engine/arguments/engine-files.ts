import { parse } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { Role } from '../../../shared/roles';
import { type EngineOption, essential } from './engine-option';

/** One file of a model as the engine sees it. */
export interface EngineFile {
  readonly role: Role;
  /** Absolute path. */
  readonly path: string;
}

/** How each role reaches the engine; roles without an option of their own are nothing to this kind of run. */
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

/**
 * The options that name the files of a model.
 * @throws Failure 'bad-request' when files are missing, twice there, or nothing to the engine
 */
export function fileOptions(files: readonly EngineFile[], { withControlNet }: { withControlNet: boolean }) {
  requireWeights(files);
  const options = new Map<string, EngineOption>();
  const paths = new Map<Role, string>();
  for (const { role, path } of files) {
    const option = role === 'control_net' && withControlNet ? '--control-net' : ROLE_OPTIONS[role];
    if (option === 'unsupported') throw unsupported(role, path);
    if (option === 'lora-folder' || option === 'companion') continue;
    const other = paths.get(role);
    if (other !== undefined) throw twice(role, other, path);
    paths.set(role, path);
    options.set(option, essential(option, path));
  }
  return [...options.values()];
}

function requireWeights(files: readonly EngineFile[]): void {
  if (files.some(({ role }) => role === 'model' || role === 'diffusion_model')) return;
  throw new Failure('bad-request', 'The model has no file with the role "model" or "diffusion_model".', {
    subject: 'files',
    nextStep: 'Give the file with the weights one of these roles in the manifest.'
  });
}

function unsupported(role: Role, path: string): Failure {
  return new Failure('bad-request', `Files with the role "${role}" are not supported.`, {
    subject: parse(path).base,
    nextStep: 'Remove the file from the manifest.'
  });
}

function twice(role: Role, one: string, other: string): Failure {
  return new Failure('bad-request', `Two files have the role "${role}": ${parse(one).base} and ${parse(other).base}.`, {
    subject: parse(other).base,
    nextStep: 'Keep one of them, or correct its role.'
  });
}
