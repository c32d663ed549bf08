import { basename } from 'node:path';
import { Failure } from '../../shared/failure';
import type { Role } from '../../shared/roles';
import { SETTINGS } from '../../shared/settings';
import type { WeightsDescription } from '../weights/describe';
import { roleContradiction } from '../weights/role-check';
import { FORMAT_NAMES } from '../weights/weights-text';

/** A file of a model, and what reading its header came to. */
export interface ReadFile {
  readonly role: Role;
  /** Absolute path. */
  readonly path: string;
  readonly reading:
    | { readonly kind: 'read'; readonly description: WeightsDescription }
    | { readonly kind: 'refused'; readonly failure: Failure };
}

/**
 * Decides whether the engine may see a file. The engine's own readers are more lenient than ours: they accept damage,
 * and try another reader when one refuses.
 * @param mayBePickle whether the user allowed pickles for this model
 * @returns what the header says
 * @throws Failure 'bad-weights', 'unsupported-weights', 'file-access'
 */
export function checkWeights({ role, path, reading }: ReadFile, mayBePickle: boolean): WeightsDescription {
  if (reading.kind === 'refused') throw unsound(reading.failure);
  const { description } = reading;
  if (isPickle(description)) {
    if (!mayBePickle) throw pickleRefused(path, description);
    return description;
  }
  const contradiction = isBareModel(role, description) ? undefined : roleContradiction(role, description);
  if (contradiction === undefined) return description;
  const [sentence = contradiction, remedy] = contradiction.split('; ');
  throw new Failure('unsupported-weights', `${sentence}.`, {
    subject: path,
    nextStep: `In the manifest, ${remedy ?? 'list another file.'}`
  });
}

/** What was installed was sound once, or its digest proves that it never was: healing tells, and mends what it can. */
function unsound(failure: Failure): Failure {
  const { code, message, subject } = failure;
  return new Failure(code, message, {
    ...(subject !== undefined && { subject }),
    nextStep: 'Heal the model; if that changes nothing, its source has the wrong file.',
    remedy: { kind: 'heal' },
    cause: failure
  });
}

/** Whether reading a file can run code. */
export function isPickle({ format }: WeightsDescription): boolean {
  return format === 'pickle' || format === 'torch-zip';
}

/** It is given to the engine as what it is, whatever its role says. */
function isBareModel(role: Role, { component }: WeightsDescription): boolean {
  return role === 'model' && component === 'diffusion_model';
}

function pickleRefused(path: string, { format }: WeightsDescription): Failure {
  return new Failure('unsupported-weights', `${basename(path)} is a ${FORMAT_NAMES[format]}.`, {
    subject: path,
    nextStep: `Take the model as safetensors or GGUF, or allow pickles of this model in ${SETTINGS.allowPickle.key} or DIFFUSION_DOCK_ALLOW_PICKLE.`,
    remedy: { kind: 'setting', key: SETTINGS.allowPickle.key }
  });
}
