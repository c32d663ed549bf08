import type { Node } from 'jsonc-parser';
import type { Report } from '../diagnostic';
import { type ManifestDocument, rangeOf } from '../text/document';

/** A number that JSON readers change silently: integers beyond 2^53 are rounded, and 1e400 becomes infinite. */
export function checkNumber({ text }: ManifestDocument, number: Node, report: Report): void {
  const value = Number(number.value);
  if (Number.isSafeInteger(value)) return;
  const literal = text.slice(number.offset, number.offset + number.length);
  if (Number.isFinite(value) && !/^-?\d+$/.test(literal)) return;
  const message = 'JSON readers cannot hold this number exactly; write one of at most 9007199254740991.';
  report({ code: 'inexact-number', message, ...rangeOf(number) });
}
