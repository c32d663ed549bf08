import { type GenerationRequest, generationRequest } from '../../../shared/generation';
import { type GenerationDefaults, generationDefaults } from '../../../shared/manifest/generation-defaults';
import { recipeOf } from '../../weights/recipes';
import type { ModelIdentity } from './model-identity';

const DEFAULT_FIELDS: ReadonlySet<string> = new Set(Object.keys(generationDefaults.shape));
const SIZE_FIELDS: ReadonlySet<string> = new Set(['width', 'height']);

/**
 * What counts for a model where a request says nothing: the manifest's defaults, and what is usual for the family
 * besides.
 */
export function modelDefaults(
  { family, variant, roles }: ModelIdentity,
  defaults: GenerationDefaults
): GenerationDefaults {
  return { ...recipeOf(family, variant, roles)?.defaults, ...defaults };
}

/**
 * A request with every default filled in: its own values win over the manifest's, those over what is usual for the
 * family. A size counts as a default only where the request names no image: else the size is that of the image.
 */
export function fillIn(
  request: GenerationRequest,
  model: ModelIdentity,
  defaults: GenerationDefaults
): GenerationRequest {
  const hasImage = request.init_image !== undefined || request.references !== undefined;
  const isDefault = (name: string): boolean => DEFAULT_FIELDS.has(name) && !(hasImage && SIZE_FIELDS.has(name));
  const filled = Object.entries(modelDefaults(model, defaults)).filter(([name]) => isDefault(name));
  // A field that is there without a value must not hide the one below it.
  const given = Object.entries(request).filter(([, value]) => value !== undefined);
  return generationRequest.parse({ ...Object.fromEntries(filled), ...Object.fromEntries(given) });
}
