import type { Node } from 'jsonc-parser';
import { type ManifestDocument, stringOf } from './document';

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

/** The texts that the file entries have in one field, in document order. */
export function entryTexts(document: ManifestDocument, field: string): EntryText[] {
  return fileEntries(document).flatMap((entry) => {
    const node = document.fieldsOf(entry).get(field)?.value;
    const text = stringOf(node);
    return node && text !== undefined ? [{ node, text }] : [];
  });
}

/** The size in bytes that a node states; undefined when that is none. */
export function byteCountOf(node: Node | undefined): number | undefined {
  const value = node?.type === 'number' ? Number(node.value) : undefined;
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
