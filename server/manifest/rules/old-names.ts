import type { Node } from 'jsonc-parser';
import type { Report } from '../diagnostic';
import { forEachField, type ManifestDocument, rangeOf } from '../document';
import { fileEntries } from '../files';

/** What fields were called in older manifests and are called in other tools, and what they are called now. */
const OLD_NAMES = {
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

/** Fields under names that nothing reads any more. */
export function checkOldNames(document: ManifestDocument, report: Report): void {
  for (const entry of fileEntries(document)) checkObject(document, entry, OLD_NAMES.file, report);
  const defaults = document.nodeAt(['defaults']);
  if (defaults) checkObject(document, defaults, OLD_NAMES.defaults, report);
}

function checkObject(
  document: ManifestDocument,
  object: Node,
  names: ReadonlyMap<string, string>,
  report: Report
): void {
  forEachField(object, ({ name, key }) => {
    const today = names.get(name);
    if (today === undefined || document.fieldsOf(object).has(today)) return;
    const message = `Nothing reads “${name}” any more; write “${today}”.`;
    report({ code: 'deprecated-field', severity: 'warning', message, ...rangeOf(key) });
  });
}

/** What a field under an old name is called now; undefined for every other name. */
export function nameToday(name: string): string | undefined {
  return OLD_NAMES.file.get(name) ?? OLD_NAMES.defaults.get(name);
}
