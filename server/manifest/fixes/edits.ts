import type { Node } from 'jsonc-parser';
import type { TextRange } from '../diagnostic';
import { endOf, type ManifestDocument, rangeOf } from '../text/document';
import { lastBegunIndex } from '../text/node-at-offset';

/** A part of the text and what comes in its place. */
export interface TextReplacement extends TextRange {
  readonly text: string;
  /** The same with tab stops, where there is something left to be written. */
  readonly snippet?: string;
}

/** Writes another value in the place of a scalar or a key. */
export function replaceValue(node: Node, value: string | number): TextReplacement {
  return { ...rangeOf(node), text: JSON.stringify(value) };
}

/**
 * Takes a field or a list's entry out, with the comma that goes with it.
 * @param node a property, or an entry of a list
 */
export function removeFromParent(document: ManifestDocument, node: Node): TextReplacement {
  const siblings = node.parent?.children ?? [];
  const index = lastBegunIndex(siblings, node.offset);
  const next = siblings[index + 1];
  if (next) return { start: node.offset, end: next.offset, text: '' };
  const previous = siblings[index - 1];
  const start = previous ? endOf(previous, document.text) : node.offset;
  return { start, end: endOf(node, document.text), text: '' };
}

/** Adds fields at the end of an object, laid out like the fields that it has. */
export function addFields(
  document: ManifestDocument,
  object: Node,
  fields: readonly (readonly [name: string, value: unknown])[]
): TextReplacement {
  const written = fields.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  const last = object.children?.at(-1);
  if (!last) {
    const at = object.offset + 1;
    return { start: at, end: at, text: written.join(', ') };
  }
  const first = object.children?.[0];
  const lead = document.text.slice(object.offset + 1, first?.offset ?? object.offset + 1);
  // On one line, the opening brace may be followed by anything; between fields stands one space.
  const between = /[\r\n]/.test(lead) ? lead : ' ';
  const at = endOf(last, document.text);
  return { start: at, end: at, text: written.map((field) => `,${between}${field}`).join('') };
}

/**
 * Adds an entry at the end of a list, laid out like the entries that it has.
 * @param snippet the entry with tab stops
 */
export function addEntry(document: ManifestDocument, list: Node, text: string, snippet: string): TextReplacement {
  const last = list.children?.at(-1);
  const first = list.children?.[0];
  const lead = first ? document.text.slice(list.offset + 1, first.offset) : '';
  const between = last ? `,${/[\r\n]/.test(lead) ? lead : ' '}` : '';
  const at = last ? endOf(last, document.text) : list.offset + 1;
  return { start: at, end: at, text: `${between}${text}`, snippet: `${between}${snippet}` };
}

/** The property that a key or a value belongs to. */
export function propertyOf(node: Node): Node | undefined {
  return node.parent?.type === 'property' ? node.parent : undefined;
}
