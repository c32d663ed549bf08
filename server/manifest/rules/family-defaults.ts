import type { Node } from 'jsonc-parser';
import { isRole } from '../../../shared/roles';
import { FAMILY_NAMES, type RecognisedFamily } from '../../weights/families';
import { familyValues, ignoredValues } from '../../weights/family-values';
import { recipeOf } from '../../weights/recipes';
import type { Finding, ManifestDiagnostic } from '../diagnostic';
import { entryTexts, fileEntries } from '../files';
import { forEachField, type ManifestDocument, rangeOf } from '../text/document';
import type { Rule } from './rule';

/** Defaults that only a second model for the noisy steps has. */
const HIGH_NOISE: ReadonlySet<string> = new Set(['high_noise_steps', 'high_noise_cfg_scale']);

/** Defaults for a second model that is not listed. */
export const idleDefaults: Rule = {
  whole({ document }, report) {
    const roles = entryTexts(document, 'role').map(({ value }) => value);
    // A role that is missing or unknown may be the one.
    if (roles.length < fileEntries(document).length || !roles.every(isRole)) return;
    if (roles.includes('high_noise_diffusion_model')) return;
    forEachDefault(document, ({ name, key }) => {
      if (HIGH_NOISE.has(name)) report(idle(key, 'No file has the role “high_noise_diffusion_model”'));
    });
  }
};

/**
 * Defaults that make no sense for the family that the header of the installed file shows.
 * @param model what its diffusion model is
 */
export function defaultsAgainstFamily(document: ManifestDocument, model: RecognisedFamily): ManifestDiagnostic[] {
  const ignored = new Set(ignoredValues(model));
  const found: Finding[] = [];
  const taken = new Set<string>();
  forEachDefault(document, ({ name, key, value }) => {
    if (taken.has(name)) return;
    taken.add(name);
    if (ignored.has(name)) found.push(idle(key, `${nameOf(model)} takes no such value`));
    else if (value?.type === 'number') found.push(...unfit(document, model, { name, node: value }));
  });
  return found.map((finding) => ({ severity: 'hint' as const, ...finding }));
}

interface NumberField {
  readonly name: string;
  readonly node: Node;
}

function unfit(document: ManifestDocument, model: RecognisedFamily, { name, node }: NumberField): Finding[] {
  const values = familyValues(model.family);
  if (!values) return [];
  const number = Number(node.value);
  const at = { code: 'unfit-default' as const, ...rangeOf(node) };
  if (name === 'video_frames' && values.makes === 'images' && number > 1) {
    const message = `${nameOf(model)} makes no videos, so that every run would be refused; remove “video_frames”.`;
    return [{ ...at, severity: 'warning', message, remedy: { kind: 'remove' } }];
  }
  const { sideMultiple } = values;
  if ((name === 'width' || name === 'height') && sideMultiple !== undefined && number % sideMultiple !== 0) {
    const rounded = Math.ceil(number / sideMultiple) * sideMultiple;
    return [
      {
        ...at,
        message: `The engine rounds this up to ${rounded}; models of ${nameOf(model)} make multiples of ${sideMultiple}.`,
        remedy: { kind: 'write', value: rounded }
      }
    ];
  }
  // What a LoRA makes of a model is not known, and some are made for other values.
  if (entryTexts(document, 'role').some(({ value }) => value === 'lora')) return [];
  if (name === 'cfg_scale' && values.isGuidanceDistilled && number > 1) {
    return [
      {
        ...at,
        message: `Models of ${nameOf(model)} are usually run with a “cfg_scale” of 1, for guidance is part of their weights.`,
        remedy: { kind: 'write', value: 1 }
      }
    ];
  }
  const usual =
    model.variant === 'schnell' ? recipeOf(model.family, model.variant, new Set())?.defaults.steps : undefined;
  if (name === 'steps' && usual !== undefined && number > usual * MANY) {
    return [
      {
        ...at,
        message: `${nameOf(model)} schnell is made for about ${usual} steps; more take time and change little.`,
        remedy: { kind: 'write', value: usual }
      }
    ];
  }
  return [];
}

/** How many times the usual steps are many. */
const MANY = 3;

function nameOf({ family }: RecognisedFamily): string {
  return FAMILY_NAMES[family];
}

function idle(key: Node, reason: string): Finding {
  return {
    code: 'unnecessary-field',
    severity: 'hint',
    message: `${reason}, so that nothing reads this one; remove it.`,
    ...rangeOf(key)
  };
}

function forEachDefault(document: ManifestDocument, visit: Parameters<typeof forEachField>[1]): void {
  const defaults = document.nodeAt(['defaults']);
  if (defaults) forEachField(defaults, visit);
}
