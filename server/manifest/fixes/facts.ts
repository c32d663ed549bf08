import type { Node } from 'jsonc-parser';
import type { Digest } from '../../../shared/digest';
import { withRevision } from '../hub-file';
import type { ManifestDocument } from '../text/document';
import { stringOf } from '../text/document';
import { addFields, replaceValue, type TextReplacement } from './edits';

/** What is known of a file. */
export interface FileFacts {
  readonly sha256?: Digest | undefined;
  readonly bytes?: number | undefined;
}

/** Writes what is known of a file into its entry, in the place of what is written there. */
export function writeFacts(document: ManifestDocument, entry: Node, { sha256, bytes }: FileFacts): TextReplacement[] {
  const fields = document.fieldsOf(entry);
  const wanted = [
    ...(sha256 === undefined ? [] : [['sha256', sha256] as const]),
    ...(bytes === undefined ? [] : [['size_bytes', bytes] as const])
  ];
  const replaced = wanted.flatMap(([name, value]) => {
    const node = fields.get(name)?.value;
    return node && node.value !== value ? [replaceValue(node, value)] : [];
  });
  const added = wanted.filter(([name]) => !fields.has(name));
  return added.length === 0 ? replaced : [...replaced, addFields(document, entry, added)];
}

/** Names a commit in the address of an entry. */
export function writeRevision(document: ManifestDocument, entry: Node, commit: string): TextReplacement[] {
  const node = document.fieldsOf(entry).get('url')?.value;
  const url = stringOf(node);
  return node && url !== undefined ? [replaceValue(node, withRevision(url, commit))] : [];
}
