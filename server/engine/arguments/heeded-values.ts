import type { GenerationRequest } from '../../../shared/generation';
import { familyValues, ignoredValues } from '../../weights/family-values';
import type { ModelIdentity } from './model-identity';

/** Names of the values of a request that change nothing for a model. */
export function ignoredBy({ family, variant }: ModelIdentity): ReadonlySet<string> {
  return new Set(family ? ignoredValues({ family, ...(variant && { variant }) }) : []);
}

/**
 * What somebody asks for that changes nothing for the model, or that its family is not made for, one sentence each.
 * @param asked without any defaults
 */
export function adviceOnValues(asked: GenerationRequest, model: ModelIdentity): readonly string[] {
  const { family, name, roles } = model;
  const ignored = ignoredBy(model);
  const idle = Object.keys(asked).filter((field) => ignored.has(field) && asked[field] !== undefined);
  // What a LoRA makes of a model is not known, and some are made for other values.
  const hasLora = roles.has('lora') || asked.prompt.includes('<lora:');
  const isGuidedTwice = !hasLora && familyValues(family)?.isGuidanceDistilled === true && (asked.cfg_scale ?? 1) > 1;
  return [
    ...idle.map((field) => `${field} changes nothing for models of ${name}.`),
    ...(isGuidedTwice
      ? [`Models of ${name} are usually run with a cfg_scale of 1, for guidance is part of their weights.`]
      : [])
  ];
}
