import type { Node } from 'jsonc-parser';
import { type ManifestDocument, stringOf } from './document';
import { lastBegunIndex } from './node-at-offset';

/** A text in a file entry, with its node. */
export interface EntryText {
  readonly node: Node;
  readonly text: string;
}

/** The entries of the manifest's list of files, of whatever type; empty when there is no list. */
export function fileEntries(document: ManifestDocument): readonly Node[] {
  const files = document.nodeAt(['files']);
  return files?.type === 'array' ? (files.children ?? []) : [];
}

/** Index of the file entry at an offset; undefined when there is none, or it was cut off. */
export function entryIndexAt(document: ManifestDocument, offset: number): number | undefined {
  const entries = fileEntries(document);
  const index = lastBegunIndex(entries, offset);
  const entry = entries[index];
  return entry && offset < entry.offset + entry.length ? index : undefined;
}

/** What several rules ask of one document. */
const textsByField = new WeakMap<ManifestDocument, Map<string, readonly EntryText[]>>();

/** The texts that the file entries have in one field, in document order. */
export function entryTexts(document: ManifestDocument, field: string): readonly EntryText[] {
  const known = textsByField.get(document) ?? new Map<string, readonly EntryText[]>();
  textsByField.set(document, known);
  const texts = known.get(field) ?? collectTexts(document, field);
  known.set(field, texts);
  return texts;
}

function collectTexts(document: ManifestDocument, field: string): readonly EntryText[] {
  const texts: EntryText[] = [];
  for (const entry of fileEntries(document)) {
    const text = entryText(entry, field);
    if (text) texts.push(text);
  }
  return texts;
}

/** The text that an entry has in one field; undefined when that is none. */
export function entryText(entry: Node, field: string): EntryText | undefined {
  const node = fieldValue(entry, field);
  const text = stringOf(node);
  return node && text !== undefined ? { node, text } : undefined;
}

/** The value of an entry's field; undefined without one. */
export function fieldValue(entry: Node, name: string): Node | undefined {
  return propertyOf(entry, name)?.children?.[1];
}

/** Whether an entry has a field, even without a value. */
export function hasField(entry: Node, name: string): boolean {
  return propertyOf(entry, name) !== undefined;
}

/**
 * A property of an entry, the last of equal names. Entries have few fields, so that they are looked through: ten
 * thousand maps would take longer to make.
 */
function propertyOf(entry: Node, name: string): Node | undefined {
  const properties = entry.type === 'object' ? (entry.children ?? []) : [];
  for (let index = properties.length - 1; index >= 0; index--) {
    const property = properties[index];
    if (property?.children?.[0]?.value === name) return property;
  }
  return undefined;
}

/** The size in bytes that a node states; undefined when that is none. */
export function byteCountOf(node: Node | undefined): number | undefined {
  const value = node?.type === 'number' ? Number(node.value) : undefined;
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
