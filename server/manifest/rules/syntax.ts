import type { Report } from '../diagnostic';
import type { ManifestDocument } from '../text/document';
import type { JsonError } from '../text/recovering-tree';

/** The first violation of strict JSON. Its consequences further down are not reported: one mistake, one row. */
export function checkSyntax(document: ManifestDocument, report: Report): void {
  const { syntaxError, text } = document;
  if (!syntaxError) return;
  const start = Math.min(syntaxError.offset, text.length);
  const end = Math.min(start + Math.max(syntaxError.length, 1), text.length);
  report({ code: 'syntax', message: messageOf(syntaxError, text), start: Math.min(start, Math.max(end - 1, 0)), end });
}

function messageOf(error: JsonError, text: string): string {
  if (text.trim() === '') return 'The file is empty; a manifest is one JSON object.';
  if (text.startsWith('\ufffd') || text.slice(0, 4).includes('\0')) {
    return 'The file is not UTF-8 text; save it with the encoding UTF-8.';
  }
  if (error.offset >= text.length) return 'The text ends too early; close what is open here.';
  return MESSAGES[error.error] ?? 'This is not JSON.';
}

/** By the numbers of jsonc-parser's `ParseErrorCode`. */
const MESSAGES: Readonly<Record<number, string>> = {
  1: 'This is no JSON value; texts need double quotes.',
  2: 'This is no number in JSON.',
  3: 'Here belongs a field name in double quotes; remove a comma too many, or add the name.',
  4: 'Here belongs a value; remove a comma too many, or add the value.',
  5: 'Here belongs a colon.',
  6: 'Here belongs a comma.',
  7: 'Here belongs a closing brace.',
  8: 'Here belongs a closing bracket.',
  9: 'The manifest ends before this; remove what follows.',
  10: 'Strict JSON has no comments; remove this one.',
  12: 'This text has no closing quote.',
  14: 'This is no Unicode escape; write four hexadecimal digits after “\\u”.',
  15: 'This escape is unknown; write “\\\\” for a backslash.',
  16: 'This text holds a control character; write it as an escape, for example “\\t”.'
};
