import { getLocation } from 'jsonc-parser';
import type { TextRange } from './diagnostic';
import { type ManifestDocument, readableText } from './document';

/** Where in a manifest somebody is typing. */
export interface Place {
  /** `field`: at the name of a field. `value`: where a value stands or is missing. */
  readonly kind: 'field' | 'value';
  /** Of a field: the path of its object. Of a value: its own path. */
  readonly path: readonly (string | number)[];
  /** What is written there up to its end, quotes included; empty at the offset when nothing is. */
  readonly written: TextRange;
  /** The text between the quote and the offset. */
  readonly typed: string;
}

/**
 * The place at an offset, in whatever state the text is.
 * @returns undefined inside of a comment's place, beyond the limits of what we read, and where nothing can stand
 */
export function placeAt(document: ManifestDocument, offset: number): Place | undefined {
  if (document.limit) return undefined;
  const text = readableText(document.text);
  const { path, previousNode, isAtPropertyKey } = getLocation(text, offset);
  const isInside =
    previousNode !== undefined && previousNode.offset < offset && offset <= previousNode.offset + previousNode.length;
  const written = isInside
    ? { start: previousNode.offset, end: previousNode.offset + previousNode.length }
    : bareWordAt(text, offset);
  const typed = text.slice(written.start, offset).replace(/^"/, '');
  if (isAtPropertyKey) return { kind: 'field', path: path.slice(0, -1), written, typed };
  return path.length === 0 ? undefined : { kind: 'value', path, written, typed };
}

/** A word that was begun without its quote. */
function bareWordAt(text: string, offset: number): TextRange {
  const before = /[\w$+.-]*$/.exec(text.slice(Math.max(0, offset - 100), offset))?.[0].length ?? 0;
  const after = /^[\w$+.-]*/.exec(text.slice(offset, offset + 100))?.[0].length ?? 0;
  return { start: offset - before, end: offset + after };
}

/** Whether a path fits a pattern in which `*` stands for any one segment: `files.*.role`. */
export function fits(path: readonly (string | number)[], pattern: string): boolean {
  const segments = pattern.split('.');
  return segments.length === path.length && segments.every((part, index) => part === '*' || part === path[index]);
}
