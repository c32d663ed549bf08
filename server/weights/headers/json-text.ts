import { isUtf8 } from 'node:buffer';
import type { HeaderWindow } from './header-window';
import { LONGEST_PIECE } from './limits';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const ZERO = 0x30;
const NINE = 0x39;

/** Bytes of an escape as it is written. */
const ESCAPED_CHARACTER = 2;
const ESCAPED_UNIT = 6;
const BAD_ESCAPE = 'a text has an escape that means nothing';

/** By byte: whether it ends a text, begins an escape, or may not be in a text. Metadata has millions of bytes. */
const IS_SPECIAL = byteTable((byte) => byte < 0x20 || byte === QUOTE || byte === BACKSLASH);

/** By byte: what may follow a backslash, other than the letter before four hexadecimal digits. */
const IS_ESCAPED = byteTable((byte) => '"\\/bfnrt'.includes(String.fromCharCode(byte)));

const IS_HEXADECIMAL = byteTable((byte) => /[\da-f]/i.test(String.fromCharCode(byte)));

/** The digits of the largest number that is read exactly. */
const MOST_DIGITS = 16;

/** No number that means something is written with more. */
const LONGEST_WORD = 64;

export const COLON = 0x3a;
export const COMMA = 0x2c;
export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;

/** What comes after the quote that a text begins with. */
interface TextScan {
  /** Index of the quote that ends it; as long as there is none, of a character before which everything was looked at. */
  readonly to: number;
  readonly isWhole: boolean;
  /** Whether all bytes are ASCII. */
  readonly isPlain: boolean;
  readonly hasEscapes: boolean;
}

/** A text that is expected in many places, and what it is when it is written plainly. */
export interface KnownWord<Word extends string> {
  readonly word: Word;
  readonly quoted: Uint8Array;
}

/** @param words in ASCII, shorter than any that is not looked for */
export function knownWords<Word extends string>(words: readonly Word[]): readonly KnownWord<Word>[] {
  return words.map((word) => ({ word, quoted: Buffer.from(`"${word}"`) }));
}

/** Whether these bytes lie at a place. */
export function startsWith(bytes: Uint8Array, at: number, start: Uint8Array): boolean {
  for (let index = 0; index < start.length; index += 1) {
    if (bytes[at + index] !== start[index]) return false;
  }
  return true;
}

function byteTable(has: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => Number(has(byte)));
}

/** @param at index of what follows the backslash */
function isEscape(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] !== LETTER_U) return IS_ESCAPED[bytes[at] ?? 0] === 1;
  for (let digit = at + 1; digit < at + ESCAPED_UNIT - 1; digit += 1) {
    if (!IS_HEXADECIMAL[bytes[digit] ?? 0]) return false;
  }
  return true;
}

/** An index before which there are whole characters: of the last one in UTF-8, not all bytes may have been read yet. */
function endOfCharacters(bytes: Uint8Array, from: number, to: number): number {
  let at = to;
  while (at > from && (bytes[at - 1] ?? 0) >= 0x80) {
    at -= 1;
    if ((bytes[at] ?? 0) >= 0xc0) break;
  }
  return at;
}

/**
 * Reads JSON out of the bytes of a window, piece by piece, by the letter of the format: `JSON.parse` would need the
 * whole text at once, and would not tell of a key that is there twice.
 */
export class JsonText {
  constructor(private readonly window: HeaderWindow) {}

  /** The next byte that is no white space, without moving behind it. */
  next(): number {
    const { window } = this;
    const { bytes, end } = window;
    let { at } = window;
    let byte = bytes[at] ?? 0;
    while (at < end && (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)) {
      at += 1;
      byte = bytes[at] ?? 0;
    }
    if (at >= end) throw window.outOfBytes();
    window.at = at;
    return byte;
  }

  /** Moves behind a certain byte. */
  expect(byte: number): void {
    if (this.next() !== byte) throw this.window.damage(`“${String.fromCharCode(byte)}” is missing`);
    this.window.at += 1;
  }

  /** Moves behind a key and its colon. */
  key(longest: number): string {
    const key = this.text(longest);
    this.expect(COLON);
    return key;
  }

  /** Whether another member follows; moves behind the comma, or behind the end. */
  hasMore(close: number): boolean {
    const byte = this.next();
    if (byte !== COMMA && byte !== close) throw this.window.damage('a comma is missing');
    this.window.at += 1;
    return byte === COMMA;
  }

  /** Moves behind the beginning of an object or list. @returns whether there is anything in it */
  opens(open: number, close: number): boolean {
    this.expect(open);
    if (this.next() !== close) return true;
    this.window.at += 1;
    return false;
  }

  /** A text. @param longest in bytes as they are written */
  text(longest: number): string {
    const { window } = this;
    this.expect(QUOTE);
    const from = window.at;
    const scan = this.scanText();
    if (scan.to - from > longest) throw window.damage('a text is too long');
    if (!scan.isWhole) throw window.outOfBytes();
    window.at = scan.to + 1;
    return this.decoded(from, scan);
  }

  /**
   * A text that may have any length; of a long one, nothing is kept in memory.
   * @param kept in bytes as they are written
   * @returns undefined when it is longer
   */
  async textUpTo(kept: number): Promise<string | undefined> {
    const { window } = this;
    let isLong = false;
    return window.whole(() => {
      if (!isLong) this.expect(QUOTE);
      const from = window.at;
      const scan = this.scanText();
      isLong ||= scan.to - from > kept;
      if (!isLong && !scan.isWhole) throw window.outOfBytes();
      if (!isLong) {
        window.at = scan.to + 1;
        return this.decoded(from, scan);
      }
      this.requireUtf8(from, scan.to);
      window.at = scan.to + (scan.isWhole ? 1 : 0);
      if (scan.isWhole) return undefined;
      window.mark();
      throw window.outOfBytes();
    });
  }

  /** Looks for the end of a text, without moving. What is no JSON is refused, except for bytes that are no UTF-8. */
  private scanText(): TextScan {
    const { bytes, end, at: from } = this.window;
    let at = from;
    let seen = 0;
    let hasEscapes = false;
    while (at < end) {
      const byte = bytes[at] ?? 0;
      seen |= byte;
      if (!IS_SPECIAL[byte]) {
        at += 1;
        continue;
      }
      if (byte === QUOTE) return { to: at, isWhole: true, isPlain: seen < 0x80, hasEscapes };
      if (byte !== BACKSLASH) throw this.window.damage('a text has a control character');
      hasEscapes = true;
      const length = bytes[at + 1] === LETTER_U ? ESCAPED_UNIT : ESCAPED_CHARACTER;
      if (at + length > end) break;
      if (!isEscape(bytes, at + 1)) throw this.window.damage(BAD_ESCAPE);
      at += length;
    }
    return { to: endOfCharacters(bytes, from, at), isWhole: false, isPlain: seen < 0x80, hasEscapes };
  }

  /**
   * Moves behind a text that is one of a few, without making a string of it: a header has them by the thousand.
   * @returns undefined, without moving, for every other text
   */
  word<Word extends string>(words: readonly KnownWord<Word>[]): Word | undefined {
    const { window } = this;
    if (this.next() !== QUOTE) return undefined;
    const { bytes, end, at } = window;
    // Whoever reads the text as any other waits for the rest of it.
    if (at + LONGEST_WORD >= end) return undefined;
    for (const { word, quoted } of words) {
      if (!startsWith(bytes, at, quoted)) continue;
      window.at = at + quoted.length;
      return word;
    }
    return undefined;
  }

  /** A whole number from 0 that is exact as a JavaScript number. */
  count(): number {
    const { window } = this;
    const first = this.next();
    if (first < ZERO || first > NINE) throw window.damage('a number is missing, or not a whole one');
    const { bytes, end, at: from } = window;
    let at = from;
    let value = 0;
    for (let byte = first; byte >= ZERO && byte <= NINE && at < end; byte = bytes[at] ?? 0) {
      value = value * 10 + byte - ZERO;
      at += 1;
    }
    if (at >= end) throw window.outOfBytes();
    window.at = at;
    const digits = at - from;
    if (digits > MOST_DIGITS || (first === ZERO && digits > 1)) {
      throw window.damage('a number is too large, or begins with 0');
    }
    // A point or an exponent is refused by whoever expects what follows the number.
    if (!Number.isSafeInteger(value)) throw window.damage('a number is too large');
    return value;
  }

  /** Moves behind a value of any kind. @param depth how many lists and objects it may have within each other */
  skipValue(depth: number): void {
    const first = this.next();
    if (first === QUOTE) {
      this.text(LONGEST_PIECE);
    } else if (first === OPEN_OBJECT || first === OPEN_LIST) {
      if (depth === 0) throw this.window.damage('its lists and objects lie too deep');
      const close = first === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_LIST;
      let more = this.opens(first, close);
      while (more) {
        if (first === OPEN_OBJECT) this.key(LONGEST_PIECE);
        this.skipValue(depth - 1);
        more = this.hasMore(close);
      }
    } else {
      this.skipWord();
    }
  }

  /** A number, or one of the three words of the format. */
  private skipWord(): void {
    let word = '';
    while (word.length < LONGEST_WORD && /[\w.+-]/.test(String.fromCharCode(this.peek()))) {
      word += String.fromCharCode(this.peek());
      this.window.at += 1;
    }
    if (!/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(word)) {
      throw this.window.damage('a value is missing, or is none');
    }
  }

  private peek(): number {
    const { window } = this;
    const byte = window.bytes[window.take(1)] ?? 0;
    window.at -= 1;
    return byte;
  }

  private decoded(from: number, { to, isPlain, hasEscapes }: TextScan): string {
    const { bytes } = this.window;
    if (isPlain && !hasEscapes) return bytes.toString('latin1', from, to);
    this.requireUtf8(from, to);
    const raw = bytes.toString('utf8', from, to);
    if (!hasEscapes) return raw;
    const text: unknown = JSON.parse(`"${raw}"`);
    if (typeof text === 'string' && !/\p{Surrogate}/u.test(text)) return text;
    throw this.window.damage(BAD_ESCAPE);
  }

  private requireUtf8(from: number, to: number): void {
    if (!isUtf8(this.window.bytes.subarray(from, to))) throw this.window.damage('a text is not UTF-8');
  }
}
