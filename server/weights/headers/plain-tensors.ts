import type { HeaderWindow } from './header-window';
import { type KnownWord, startsWith } from './json-text';
import { MOST_DIMENSIONS } from './limits';
import type { Tensor } from './tensor';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const CLOSE_LIST = 0x5d;
const ZERO = 0x30;
const NINE = 0x39;

/** The one name that no tensor has. */
export const METADATA = '__metadata__';

/** What stands between the values of an entry. */
const BEFORE_TYPE = Buffer.from('":{"dtype":');
const BEFORE_SHAPE = Buffer.from(',"shape":[');
const BEFORE_PLACE = Buffer.from(',"data_offsets":[');
const BEHIND_PLACE = Buffer.from(']}');

/** More bytes than an entry takes behind its name: whatever is looked at was read. */
const LONGEST_REST = 256;

/** Digits of a number that is exact whatever they are. */
const MOST_DIGITS = 15;

/** Shapes that are kept: a model has few, each of them hundreds of times. */
const MOST_SHAPES = 512;

/** A type by its word, and the bits of one of its values. */
export interface StoredValue {
  readonly type: KnownWord<string>;
  readonly bits: number;
}

/**
 * Reads entries of tensors that are written as the format's own library writes them: this order, no white space, a
 * name in ASCII without escapes. Such are nearly all, and a third of the time is saved. Whatever differs
 * in any way is left to the reader that knows the whole format, and that says what is wrong.
 */
export class PlainTensors {
  private at = 0;
  private readonly shapes = new Map<number, readonly number[]>();
  private readonly extents: number[] = [];
  private value: StoredValue | undefined;

  constructor(
    private readonly window: HeaderWindow,
    private readonly values: readonly StoredValue[],
    private readonly longestName: number
  ) {}

  /** Moves behind the next entry. @returns undefined, without moving, when it is written otherwise, or not right */
  next(): Tensor | undefined {
    const { window } = this;
    const { bytes } = window;
    if (bytes[window.at] !== QUOTE || window.at >= window.end) return undefined;
    const from = window.at + 1;
    const to = this.endOfName(from);
    if (to === undefined || to + LONGEST_REST > window.end) return undefined;
    this.at = to;
    if (!this.passes(BEFORE_TYPE)) return undefined;
    const value = this.storedValue();
    if (!value || !this.passes(BEFORE_SHAPE)) return undefined;
    const elements = this.readShape();
    if (elements === undefined || !this.passes(BEFORE_PLACE)) return undefined;
    const offset = this.count();
    if (offset === undefined || bytes[this.at] !== COMMA) return undefined;
    this.at += 1;
    const end = this.count();
    if (end === undefined || !this.passes(BEHIND_PLACE)) return undefined;
    if (end - offset !== (elements * value.bits) / 8) return undefined;
    const name = bytes.toString('latin1', from, to);
    if (name === METADATA) return undefined;
    window.at = this.at;
    return { name, dtype: value.type.word, shape: this.shape(elements), elements, bytes: end - offset, offset };
  }

  private endOfName(from: number): number | undefined {
    const { bytes, end } = this.window;
    const limit = Math.min(end, from + this.longestName);
    for (let at = from; at < limit; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) return at;
      if (byte < 0x20 || byte >= 0x80 || byte === BACKSLASH) return undefined;
    }
    return undefined;
  }

  private passes(expected: Uint8Array): boolean {
    if (!startsWith(this.window.bytes, this.at, expected)) return false;
    this.at += expected.length;
    return true;
  }

  /** Mostly that of the tensor before. */
  private storedValue(): StoredValue | undefined {
    const { bytes } = this.window;
    if (!this.value || !startsWith(bytes, this.at, this.value.type.quoted)) {
      this.value = this.values.find(({ type }) => startsWith(bytes, this.at, type.quoted));
    }
    if (this.value) this.at += this.value.type.quoted.length;
    return this.value;
  }

  /** Moves behind the list and leaves its extents. @returns their product */
  private readShape(): number | undefined {
    const { bytes } = this.window;
    this.extents.length = 0;
    let elements = 1;
    if (bytes[this.at] === CLOSE_LIST) {
      this.at += 1;
      return elements;
    }
    while (this.extents.length < MOST_DIMENSIONS) {
      const extent = this.count();
      if (extent === undefined) return undefined;
      this.extents.push(extent);
      elements *= extent;
      if (!Number.isSafeInteger(elements)) return undefined;
      const byte = bytes[this.at];
      this.at += 1;
      if (byte === CLOSE_LIST) return elements;
      if (byte !== COMMA) return undefined;
    }
    return undefined;
  }

  /** One list for all tensors that have the same extents. */
  private shape(elements: number): readonly number[] {
    const { extents, shapes } = this;
    const key = elements * (MOST_DIMENSIONS + 1) + extents.length;
    const known = shapes.get(key);
    if (known?.length === extents.length && known.every((extent, index) => extent === extents[index])) return known;
    const shape = extents.slice();
    if (shapes.size < MOST_SHAPES) shapes.set(key, shape);
    return shape;
  }

  private count(): number | undefined {
    const { bytes } = this.window;
    const from = this.at;
    let value = 0;
    let at = from;
    for (let byte = bytes[at] ?? 0; byte >= ZERO && byte <= NINE; byte = bytes[at] ?? 0) {
      value = value * 10 + byte - ZERO;
      at += 1;
    }
    const digits = at - from;
    if (digits === 0 || digits > MOST_DIGITS || (digits > 1 && bytes[from] === ZERO)) return undefined;
    this.at = at;
    return value;
  }
}
