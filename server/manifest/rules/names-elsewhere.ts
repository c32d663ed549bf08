import type { Node } from 'jsonc-parser';
import type { Report } from '../diagnostic';
import { forEachField, type ManifestDocument, rangeOf } from '../text/document';
import type { Rule } from './rule';

/** What other tools and their manifests call fields, and what they are called here. */
const NAMES_ELSEWHERE = {
  file: new Map([
    ['approxBytes', 'approx_bytes'],
    ['bytes', 'size_bytes'],
    ['size', 'size_bytes'],
    ['digest', 'sha256'],
    ['hash', 'sha256']
  ]),
  defaults: new Map([
    ['sample_method', 'sampling_method'],
    ['sampler', 'sampling_method'],
    ['schedule', 'scheduler'],
    ['cfg', 'cfg_scale'],
    ['negative', 'negative_prompt']
  ])
} as const;

/** Fields under the names of other tools, which nothing here reads. */
export const namesElsewhere: Rule = {
  whole({ document }, report) {
    const defaults = document.nodeAt(['defaults']);
    if (defaults) checkObject(document, defaults, NAMES_ELSEWHERE.defaults, report);
  },
  entry({ document, entry }, report) {
    checkObject(document, entry, NAMES_ELSEWHERE.file, report);
  }
};

function checkObject(
  document: ManifestDocument,
  object: Node,
  names: ReadonlyMap<string, string>,
  report: Report
): void {
  forEachField(object, ({ name, key }) => {
    const ours = names.get(name);
    if (ours === undefined || document.fieldsOf(object).has(ours)) return;
    const message = `“${name}” is what other tools read; here it is “${ours}”.`;
    report({ code: 'deprecated-field', severity: 'warning', message, ...rangeOf(key) });
  });
}

/** What a field of other tools is called here; undefined for every other name. */
export function nameHere(name: string): string | undefined {
  return NAMES_ELSEWHERE.file.get(name) ?? NAMES_ELSEWHERE.defaults.get(name);
}
