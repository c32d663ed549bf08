import { Failure, type FailureCode } from '../../../shared/failure';
import type { ConversionOrigin } from '../../registry/registry-state';
import type { KnownModel } from '../models/known-models';

/** A model that was made here of another one. */
export interface MadeHere extends Pick<KnownModel, 'name' | 'manifest'> {
  readonly conversion: ConversionOrigin;
}

/** Whether a model was made here, so that nobody else has all of its files. */
export function isMadeHere<T extends KnownModel>(model: T): model is T & MadeHere {
  return model.conversion !== undefined;
}

/** How a model that was made here is made again, one sentence. */
export function makeAgain({ name, manifest, conversion }: MadeHere): string {
  const { from, type, files } = conversion;
  const roles = manifest.files.flatMap(({ filename, role }) => (role && files.includes(filename) ? [role] : []));
  const named = [...new Set(roles)].map((role) => ` --role ${role}`).join('');
  return `Convert ${from} again: diffusion-dock convert ${from} --type ${type}${named} --as ${name}`;
}

/** The failure of somebody who wants a file, or all of a model, that has to be made again. */
export function madeHereFailure(code: FailureCode, message: string, model: MadeHere): Failure {
  return new Failure(code, message, { subject: model.name, nextStep: makeAgain(model), remedy: { kind: 'convert' } });
}

/** @throws Failure for a file that was made here: its address is its own place in the bundle */
export function requireElsewhere(model: KnownModel, filename: string): void {
  if (!isMadeHere(model) || !model.conversion.files.includes(filename)) return;
  const { name, conversion } = model;
  const sentence = `${filename} of ${name} was made here of ${conversion.from}, so it cannot be pulled.`;
  throw madeHereFailure('unsupported-address', sentence, model);
}
