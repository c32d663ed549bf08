import { getLocation, type Node } from 'jsonc-parser';
import type { TextRange } from '../diagnostic';
import { endOf, type ManifestDocument, readableText, stringOf } from './document';
import { holds, lastBegunIndex } from './node-at-offset';

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
  const { path, previous, isAtPropertyKey } = locate(document, text, offset);
  const isInside = previous !== undefined && previous.start < offset && offset <= previous.end;
  const written = isInside ? previous : bareWordAt(text, offset);
  const typed = text.slice(written.start, offset).replace(/^"/, '');
  if (isAtPropertyKey) return { kind: 'field', path: path.slice(0, -1), written, typed };
  return path.length === 0 ? undefined : { kind: 'value', path, written, typed };
}

interface Located {
  readonly path: readonly (string | number)[];
  /** What was read last before the offset, or at it, in the same object or list. */
  readonly previous: TextRange | undefined;
  readonly isAtPropertyKey: boolean;
}

/**
 * What jsonc-parser's `getLocation` says, which reads all text before the offset: here no more than the field or item
 * that was begun last in the innermost object or list.
 */
function locate(document: ManifestDocument, text: string, offset: number): Located {
  const around = innermostAround(document, offset);
  if (!around) return located(getLocation(text, offset), 0, []);
  const { container, path, index } = around;
  const children = container.children ?? [];
  const start = children[index]?.offset ?? container.offset + 1;
  // Where the text is broken, what follows is a guess that only the text itself can be read for.
  const end = document.syntaxError ? text.length : (children[index + 1]?.offset ?? endOf(container, text));
  const opening = container.type === 'array' ? '[' : '{';
  const location = getLocation(opening + text.slice(start, end), offset - start + 1);
  const [first, ...inner] = location.path;
  const own = typeof first === 'number' ? [first + Math.max(index, 0)] : first === undefined ? [] : [first];
  return located({ ...location, path: inner }, start - 1, [...path, ...own]);
}

type JsonLocation = Pick<ReturnType<typeof getLocation>, 'path' | 'previousNode' | 'isAtPropertyKey'>;

function located(
  { path, previousNode, isAtPropertyKey }: JsonLocation,
  shift: number,
  before: readonly (string | number)[]
): Located {
  const start = (previousNode?.offset ?? 0) + shift;
  const previous = previousNode && { start, end: start + previousNode.length };
  return { path: [...before, ...path], previous, isAtPropertyKey };
}

/** An object or list, and which of its children was begun last and is certain: its index, or -1. */
interface Around {
  readonly container: Node;
  readonly path: readonly (string | number)[];
  readonly index: number;
}

/** @returns undefined outside of every object and list */
function innermostAround({ root, syntaxError }: ManifestDocument, offset: number): Around | undefined {
  const certainUntil = syntaxError?.offset ?? Number.POSITIVE_INFINITY;
  const path: (string | number)[] = [];
  let node = root;
  let around: Around | undefined;
  // The opening bracket itself is outside, the closing one is not.
  while (node?.children && node.offset < Math.min(offset, certainUntil) && holds(node, offset)) {
    const index = lastBegunIndex(node.children, offset);
    const child = node.children[index];
    const certain = lastBegunIndex(node.children, Math.min(offset, certainUntil - 1));
    const isWhole = (at: number): boolean => {
      const { offset: start = 0, length = -1 } = node?.children?.[at] ?? {};
      return length >= 0 && start + length <= certainUntil;
    };
    around = { container: node, path: [...path], index: isWhole(certain) ? certain : certain - 1 };
    const [key, value] = child?.type === 'property' ? (child.children ?? []) : [undefined, child];
    path.push(stringOf(key) ?? index);
    node = value;
  }
  return around;
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
