import { basename } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { Role } from '../../../shared/roles';
import type { EngineFile } from './engine-file';
import { type EngineOption, essential } from './engine-option';
import { takesRole } from './family-rules';
import type { ModelIdentity } from './model-identity';

/**
 * How each role reaches the engine. `folder`: the engine gets a folder of such files. `unused`: nothing that a request
 * can ask for needs it.
 */
const ROLE_OPTIONS: Readonly<Record<Role, `--${string}` | 'folder' | 'unused'>> = {
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
  control_net: '--control-net',
  lora: 'folder',
  embedding: 'folder',
  // Enlarges every image; that is asked for on its own.
  upscale_model: 'unused',
  motion_module: 'unused',
  photo_maker: 'unused',
  ip_adapter: 'unused'
};

/** Roles that only a certain request needs. */
export interface NeededRoles {
  readonly controlNet: boolean;
}

/** The options that name files, and what is left out although the model has it, one sentence each. */
export interface FileOptions {
  readonly options: readonly EngineOption[];
  readonly leftOut: readonly string[];
}

/**
 * The options that name the files of a model.
 * @throws Failure 'bad-request' when the weights are missing, or two files have one role
 */
export function fileOptions(
  files: readonly EngineFile[],
  model: ModelIdentity,
  { controlNet }: NeededRoles
): FileOptions {
  requireWeights(files);
  const options = new Map<string, EngineOption>();
  const leftOut: string[] = [];
  for (const file of files) {
    const { role, path } = file;
    const option = ROLE_OPTIONS[role];
    if (option === 'folder' || option === 'unused' || (role === 'control_net' && !controlNet)) continue;
    if (!takesRole(model, role)) {
      leftOut.push(`${model.name} takes no file with the role "${role}"; ${basename(path)} was left out.`);
      continue;
    }
    const name = role === 'model' && isBareModel(file, files) ? '--diffusion-model' : option;
    const other = options.get(name)?.value;
    if (other !== undefined) throw twice(role, other, path);
    options.set(name, essential(name, path));
  }
  return { options: [...options.values()], leftOut };
}

/**
 * Whether a file is a diffusion model without the names of a checkpoint, which sd-cli takes only as
 * `--diffusion-model`.
 */
function isBareModel({ weights }: EngineFile, files: readonly EngineFile[]): boolean {
  if (files.some(({ role }) => role === 'diffusion_model')) return false;
  return weights?.component === 'diffusion_model' && weights.parts.every(({ isPrefixed }) => !isPrefixed);
}

function requireWeights(files: readonly EngineFile[]): void {
  if (files.some(({ role }) => role === 'model' || role === 'diffusion_model')) return;
  throw new Failure('bad-request', 'The model has no file with the role "model" or "diffusion_model".', {
    subject: 'files',
    nextStep: 'Give the file with the weights one of these roles in the manifest.'
  });
}

function twice(role: Role, one: string, other: string): Failure {
  return new Failure('bad-request', `Two files have the role "${role}": ${basename(one)} and ${basename(other)}.`, {
    subject: basename(other),
    nextStep: 'Keep one of them, or correct its role.'
  });
}
