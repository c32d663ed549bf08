import { isUtf8 } from 'node:buffer';
import type { HeaderWindow } from './header-window';
import { LONGEST_TEXT } from './limits';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;

/** The digits of the largest number that is read exactly. */
const MOST_DIGITS = 16;

/** No number that means something is written with more. */
const LONGEST_WORD = 64;

export const OPEN_OBJECT = 0x7b;
export const CLOSE_OBJECT = 0x7d;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;

/**
 * Reads JSON out of the bytes of a window, piece by piece, by the letter of the format: `JSON.parse` would need the
 * whole text at once, and would not tell of a key that is there twice.
 */
export class JsonText {
  constructor(private readonly window: HeaderWindow) {}

  /** The next byte that is no white space, without moving behind it. */
  next(): number {
    const { window } = this;
    for (;;) {
      const byte = window.bytes[window.take(1)] ?? 0;
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue;
      window.at -= 1;
      return byte;
    }
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
    const { bytes, end, at: from } = window;
    const last = Math.min(end, from + longest + 1);
    let at = from;
    let isPlain = true;
    let hasEscapes = false;
    for (let byte = bytes[at]; byte !== QUOTE || at >= last; byte = bytes[at]) {
      if (at >= last) throw at < end ? window.damage('a text is too long') : window.outOfBytes();
      if (byte === undefined || byte < 0x20) throw window.damage('a text has a control character');
      if (byte >= 0x80) isPlain = false;
      if (byte === BACKSLASH) hasEscapes = true;
      at += byte === BACKSLASH ? 2 : 1;
    }
    window.at = at + 1;
    if (isPlain && !hasEscapes) return bytes.toString('latin1', from, at);
    return this.decoded(bytes.subarray(from, at), hasEscapes);
  }

  /** A whole number from 0 that is exact as a JavaScript number. */
  count(): number {
    const { window } = this;
    const first = this.next();
    if (first < ZERO || first > NINE) throw window.damage('a number is missing, or not a whole one');
    let value = 0;
    for (let digits = 1; ; digits += 1) {
      value = value * 10 + (window.bytes[window.take(1)] ?? ZERO) - ZERO;
      const following = this.peek();
      if (following < ZERO || following > NINE) break;
      if (value === 0 || digits === MOST_DIGITS) throw window.damage('a number is too large, or begins with 0');
    }
    // A point or an exponent is refused by whoever expects what follows the number.
    if (!Number.isSafeInteger(value)) throw window.damage('a number is too large');
    return value;
  }

  /** Moves behind a value of any kind. @param depth how many lists and objects it may have within each other */
  skipValue(depth: number): void {
    const first = this.next();
    if (first === QUOTE) {
      this.text(LONGEST_TEXT);
    } else if (first === OPEN_OBJECT || first === OPEN_LIST) {
      if (depth === 0) throw this.window.damage('its lists and objects lie too deep');
      const close = first === OPEN_OBJECT ? CLOSE_OBJECT : CLOSE_LIST;
      let more = this.opens(first, close);
      while (more) {
        if (first === OPEN_OBJECT) this.key(LONGEST_TEXT);
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

  private decoded(bytes: Buffer, hasEscapes: boolean): string {
    if (!isUtf8(bytes)) throw this.window.damage('a text is not UTF-8');
    const raw = bytes.toString('utf8');
    if (!hasEscapes) return raw;
    try {
      const text: unknown = JSON.parse(`"${raw}"`);
      if (typeof text === 'string' && !/\p{Surrogate}/u.test(text)) return text;
    } catch {
      // Told below: the parser's own sentence speaks of a text that nobody sees.
    }
    throw this.window.damage('a text has an escape that means nothing');
  }
}
