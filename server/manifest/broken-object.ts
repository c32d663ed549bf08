import { type ParseError, parseTree } from 'jsonc-parser';
import { moveNode, type WritableNode } from './earlier-reading';

/** How the parser that recovers from errors reads: as strict JSON, of which it reports the violations. */
export const STRICT = { disallowComments: true, allowTrailingComma: false, allowEmptyContent: false };

/** A sink for the parser's errors that keeps one: garbage of 8 MB has millions. */
export class FirstError extends Array<ParseError> {
  override push(...errors: ParseError[]): number {
    return this.length === 0 ? super.push(...errors.slice(0, 1)) : this.length;
  }
}

/** An object that is no strict JSON, with offsets of the whole text. */
export interface BrokenObject {
  readonly node: WritableNode;
  readonly error: ParseError;
}

/**
 * Reads a broken item of a list by itself. The parser reads from left to right and does not look ahead, so if it closes
 * the object with the last bracket, it would read the same as a part of the whole text.
 * @param text from the object's beginning to where the list goes on as before: to the next item, or to its end
 * @param offset of the object in the whole text
 * @returns undefined when the object does not end where it seems to, or is not what is broken
 */
export function brokenObject(text: string, offset: number): BrokenObject | undefined {
  const object = text.replace(/[ \t\r\n]*,?[ \t\r\n]*$/, '');
  if (!object.startsWith('{') || !object.endsWith('}')) return undefined;
  const errors = new FirstError();
  // What is not closed reaches to the end, and the comma is behind what is.
  const node = parseTree(`${object},`, errors, STRICT);
  const [error] = errors;
  if (!node || !error || error.offset >= object.length || node.length !== object.length) return undefined;
  moveNode(node, offset);
  return { node, error: { ...error, offset: error.offset + offset } };
}
