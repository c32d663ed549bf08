import { isUtf8 } from 'node:buffer';
import type { HeaderWindow } from './header-window';

/** Reads the values of a GGUF header out of the bytes of a window. All are little-endian. */
export class GgufReader {
  constructor(readonly window: HeaderWindow) {}

  byte(): number {
    const { window } = this;
    return window.bytes.readUInt8(window.take(1));
  }

  uint32(): number {
    const { window } = this;
    return window.bytes.readUInt32LE(window.take(4));
  }

  /** A length, a number or an offset: more than are exact in JavaScript would not fit on any disk. */
  count(): number {
    const { window } = this;
    const from = window.take(8);
    const high = window.bytes.readUInt32LE(from + 4);
    if (high >= 2 ** 21) throw window.damage('a number is too large');
    return high * 2 ** 32 + window.bytes.readUInt32LE(from);
  }

  /** A text with its length before it. @param longest in bytes */
  text(longest: number): string {
    const length = this.count();
    if (length > longest) throw this.window.damage(`a text of ${length} bytes is too long`);
    return this.utf8(length);
  }

  /** A text of so many bytes. */
  utf8(length: number): string {
    const { window } = this;
    const from = window.take(length);
    const bytes = window.bytes.subarray(from, from + length);
    if (!isUtf8(bytes)) throw window.damage('a text is not UTF-8');
    return bytes.toString('utf8');
  }
}
