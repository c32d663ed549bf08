import type { Node } from 'jsonc-parser';
import type { Finding, Report } from '../diagnostic';
import { forEachField, type ManifestDocument, rangeOf } from '../text/document';
import { excerpt } from './texts';

/** Keys of an object that are written twice: JSON readers keep the last silently. */
export function checkDuplicateKeys(document: ManifestDocument, object: Node, report: Report): void {
  if (!hasRepeatedName(document, object)) return;
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

/** Objects with so many fields are looked through name by name: a map for each of thousands takes longer to make. */
const FEW = 12;

function hasRepeatedName(document: ManifestDocument, object: Node): boolean {
  const { children = [] } = object;
  if (children.length > FEW) return document.fieldsOf(object).size !== children.length;
  return children.some(({ children: one }, index) => {
    for (let before = 0; before < index; before++) {
      if (children[before]?.children?.[0]?.value === one?.[0]?.value) return true;
    }
    return false;
  });
}
