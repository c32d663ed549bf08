import { byteCountOf, fieldValue, fileEntries } from '../files';
import { type ManifestDocument, rangeOf } from '../text/document';
import type { Rule } from './rule';

/** The total that an installed manifest states is the sum of its files; unsaid when a size is missing or wrong. */
export const totalSize: Rule = {
  whole({ document }, report) {
    const node = document.nodeAt(['total_size_bytes']);
    const stated = byteCountOf(node);
    const sum = totalOfFiles(document);
    if (!node || stated === undefined || sum === undefined || sum === stated) return;
    const message = `The files have ${sum} bytes together, not ${stated}; pull the model again.`;
    report({ code: 'size-mismatch', message, ...rangeOf(node), judgedUntil: document.text.length });
  }
};

/** Bytes of all files together; undefined when a size is missing or wrong. */
export function totalOfFiles(document: ManifestDocument): number | undefined {
  if (document.nodeAt(['files'])?.type !== 'array') return undefined;
  let sum = 0;
  for (const entry of fileEntries(document)) {
    const size = byteCountOf(fieldValue(entry, 'size_bytes'));
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}
