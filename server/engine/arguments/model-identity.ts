import type { Role } from '../../../shared/roles';
import type { WeightsDescription } from '../../weights/describe';
import { FAMILY_NAMES, type Family, type Variant } from '../../weights/families';
import type { EngineFile } from './engine-file';

/** What a model is by the headers of its files; what is not certain is left out. */
export interface ModelIdentity {
  readonly family?: Family;
  readonly variant?: Variant;
  /** The name that people know of the family. */
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
  /** The roles, and the parts that files of any role hold. */
  readonly present: ReadonlySet<string>;
}

/** Tells by tensors, never by file names, what a model is. */
export function identifyModel(files: readonly EngineFile[]): ModelIdentity {
  const main = weightsOf(files, 'diffusion_model') ?? weightsOf(files, 'model');
  const parts = files.flatMap(({ weights }) => weights?.parts ?? []);
  const roles = new Set(files.map(({ role }) => role));
  return {
    ...(main?.family && { family: main.family }),
    ...(main?.variant && { variant: main.variant }),
    name: main?.family ? FAMILY_NAMES[main.family] : 'This model',
    roles,
    present: new Set<string>([...roles, ...parts.map(({ component }) => component)])
  };
}

/** A file that says nothing of a family tells nothing, though it may lie beside one that does. */
function weightsOf(files: readonly EngineFile[], role: Role): WeightsDescription | undefined {
  return files.find((file) => file.role === role && file.weights?.family !== undefined)?.weights;
}
