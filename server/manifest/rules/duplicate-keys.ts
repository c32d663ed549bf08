import type { Node } from 'jsonc-parser';
import type { Finding, Report } from '../diagnostic';
import { forEachField, type ManifestDocument, rangeOf } from '../document';
import { excerpt } from './texts';

/** Keys of an object that are written twice: JSON readers keep the last silently. */
export function checkDuplicateKeys(document: ManifestDocument, object: Node, report: Report): void {
  if (document.fieldsOf(object).size === (object.children?.length ?? 0)) return;
  const first = new Map<string, Node>();
  forEachField(object, ({ name, key }) => {
    const before = first.get(name);
    if (before) report(duplicate(name, key, before));
    else first.set(name, key);
  });
}

function duplicate(name: string, key: Node, first: Node): Finding {
  return {
    code: 'duplicate-key',
    message: `“${excerpt(name)}” is already in this object, and only the last one counts; remove one of them.`,
    ...rangeOf(key),
    related: [{ ...rangeOf(first), message: 'It is here first.' }]
  };
}
