import { format } from 'jsonc-parser';
import type { TextRange } from '../diagnostic';
import type { TextReplacement } from '../fixes/edits';
import { type ManifestDocument, readableText } from '../text/document';

export interface FormatOptions {
  readonly tabSize: number;
  readonly insertSpaces: boolean;
  /** What is formatted; undefined: everything. */
  readonly range: TextRange | undefined;
}

/**
 * White space only: order, numbers and texts stay as they are written. A text that is no JSON stays untouched, for
 * nobody knows what it is going to be.
 */
export function formatManifest(
  document: ManifestDocument,
  { tabSize, insertSpaces, range }: FormatOptions
): TextReplacement[] {
  if (document.limit || document.syntaxError) return [];
  const part = range && { offset: range.start, length: range.end - range.start };
  const eol = document.text.includes('\r\n') ? '\r\n' : '\n';
  const edits = format(readableText(document.text), part, { tabSize, insertSpaces, eol });
  // What lies around the document stays: a byte order mark, the last line's end.
  const { root } = document;
  const [first, last] = root ? [root.offset, root.offset + root.length] : [0, 0];
  return edits.flatMap(({ offset, length, content }) =>
    offset + length <= first || offset >= last ? [] : [{ start: offset, end: offset + length, text: content }]
  );
}
