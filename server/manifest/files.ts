import type { Node } from 'jsonc-parser';
import type { ManifestDocument } from './text/document';
import { lastBegunIndex } from './text/node-at-offset';

/** The node of a text. */
export interface TextNode extends Node {
  readonly type: 'string';
  readonly value: string;
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
const textsByField = new WeakMap<ManifestDocument, Map<string, readonly TextNode[]>>();

/** The texts that the file entries have in one field, in document order. */
export function entryTexts(document: ManifestDocument, field: string): readonly TextNode[] {
  const known = textsByField.get(document) ?? new Map<string, readonly TextNode[]>();
  textsByField.set(document, known);
  const texts = known.get(field) ?? collectTexts(document, field);
  known.set(field, texts);
  return texts;
}

function collectTexts(document: ManifestDocument, field: string): readonly TextNode[] {
  const texts: TextNode[] = [];
  for (const entry of fileEntries(document)) {
    const text = entryText(entry, field);
    if (text) texts.push(text);
  }
  return texts;
}

/** The text that an entry has in one field; undefined when that is none. */
export function entryText(entry: Node, field: string): TextNode | undefined {
  const node = fieldValue(entry, field);
  return node && isText(node) ? node : undefined;
}

/** The text at a path; undefined when there is none. */
export function textAt(document: ManifestDocument, path: readonly PropertyKey[]): TextNode | undefined {
  const node = document.nodeAt(path);
  return node && isText(node) ? node : undefined;
}

function isText(node: Node): node is TextNode {
  return node.type === 'string' && typeof node.value === 'string';
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
