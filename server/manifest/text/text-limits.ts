import { LARGEST_MANIFEST_BYTES } from '../../../shared/manifest/source-manifest';
import type { Finding } from '../diagnostic';

/** The deepest nesting that is read; real manifests need four levels. */
export const DEEPEST_NESTING = 64;

/** The most values in one text: bounds the memory of the parse tree (8 MB of meaningful entries have fewer). */
export const MOST_VALUES = 300_000;

/** Why a text is not read as a whole. */
export interface TextLimit extends Finding {
  readonly code: 'too-large' | 'too-deep';
}

const TOO_LARGE: TextLimit = {
  code: 'too-large',
  message: 'A manifest has at most 8 MB and 300,000 values; list fewer files.',
  start: 0,
  end: 1
};

/**
 * Finds what would exhaust the recursive parser's stack or memory, in one pass without recursion.
 * Reads the text as the parser does after errors: strings end at line breaks, comments are skipped, and a closing
 * bracket of the wrong kind closes nothing.
 */
export function textLimit(text: string): TextLimit | undefined {
  if (isTooLong(text)) return TOO_LARGE;
  const open: number[] = [];
  let values = 1;
  for (let offset = 0; offset < text.length; offset++) {
    const unit = text.charCodeAt(offset);
    if (unit === QUOTE) offset = endOfString(text, offset);
    else if (unit === SLASH) offset = endOfComment(text, offset);
    else if (unit === COMMA) values++;
    else if (unit === OPEN_BRACE || unit === OPEN_BRACKET) {
      if (open.length === DEEPEST_NESTING) return tooDeep(offset);
      open.push(unit + 2);
      values++;
    } else if (unit === open.at(-1)) open.pop();
    if (values > MOST_VALUES) return TOO_LARGE;
  }
  return undefined;
}

/** Whether a text has more bytes than are read. A UTF-16 unit takes three at most, so that few texts are counted. */
export function isTooLong(text: string): boolean {
  if (text.length * 3 <= LARGEST_MANIFEST_BYTES) return false;
  return text.length > LARGEST_MANIFEST_BYTES || Buffer.byteLength(text) > LARGEST_MANIFEST_BYTES;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const SLASH = 0x2f;
const STAR = 0x2a;
const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** In ASCII, a closing bracket comes two places behind its opening one. */
const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/** Offset of the closing quote, or of the last unit before the line break or end that cuts the string off. */
function endOfString(text: string, start: number): number {
  for (let offset = start + 1; offset < text.length; offset++) {
    const unit = text.charCodeAt(offset);
    if (unit === QUOTE) return offset;
    if (unit === LINE_FEED || unit === CARRIAGE_RETURN) return offset - 1;
    if (unit === BACKSLASH) offset++;
  }
  return text.length - 1;
}

/** Offset of the last unit of the comment that starts here; of the slash itself when none does. */
function endOfComment(text: string, start: number): number {
  const next = text.charCodeAt(start + 1);
  if (next !== SLASH && next !== STAR) return start;
  const rest = next === SLASH ? text.slice(start).search(/[\r\n]/) : text.indexOf('*/', start + 2) - start + 1;
  return rest > 0 ? start + rest : text.length - 1;
}

function tooDeep(offset: number): TextLimit {
  const message = `Brackets are nested more than ${DEEPEST_NESTING} levels deep here; a manifest needs four. Remove the superfluous ones.`;
  return { code: 'too-deep', message, start: offset, end: offset + 1 };
}
