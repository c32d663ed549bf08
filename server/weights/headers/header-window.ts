import type { ByteSource } from './byte-source';
import { damaged } from './damage';
import { LONGEST_PIECE } from './limits';

/** Bytes that are read at once: most headers are shorter, and parsing that many keeps nobody waiting. */
const CHUNK = 256 * 1024;

/** Thrown where a reader comes to the end of what was read so far. */
class OutOfBytes extends Error {}

/**
 * The part of a header that is in memory. Readers are plain functions over {@link bytes}; where one runs out of them,
 * more are read and it starts again from its last {@link mark}. So a header takes the memory of its longest piece,
 * and the thread is free between two chunks.
 */
export class HeaderWindow {
  /** What was read; valid up to {@link end}. */
  bytes: Buffer;
  /** Index in {@link bytes} of the next byte; behind {@link end} after a skip. */
  at = 0;
  end = 0;
  private kept = 0;
  private base: number;

  /**
   * @param start offset of the header's first byte
   * @param limit offset that nothing is read from or behind
   */
  constructor(
    private readonly source: ByteSource,
    start: number,
    readonly limit: number
  ) {
    this.base = start;
    this.bytes = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK, limit - start)));
  }

  get path(): string {
    return this.source.path;
  }

  /** Offset in the file of the next byte. */
  get offset(): number {
    return this.base + this.at;
  }

  /** Everything before this byte was taken in and is not read again. */
  mark(): void {
    this.kept = this.at;
  }

  /** Index of the next byte, after which `count` more are there; moves behind them. */
  take(count: number): number {
    const from = this.at;
    if (from + count > this.end) throw new OutOfBytes();
    this.at = from + count;
    return from;
  }

  /** Moves on without looking. */
  skip(count: number): void {
    if (this.offset + count > this.limit) throw this.damage('it ends too early');
    this.at += count;
  }

  /** Asks for more bytes than there are. */
  outOfBytes(): Error {
    return new OutOfBytes();
  }

  /** @param what completes "The header is damaged: …" */
  damage(what: string): Error {
    return damaged(this.path, what, { offset: this.offset });
  }

  /** Runs a reader to its end. @throws Failure when the header ends before, and what the reader throws */
  async whole<T>(read: () => T): Promise<T> {
    this.mark();
    for (;;) {
      try {
        return read();
      } catch (error) {
        if (!(error instanceof OutOfBytes)) throw error;
      }
      this.at = this.kept;
      if (!(await this.readMore())) throw this.damage('it ends too early');
    }
  }

  private async readMore(): Promise<boolean> {
    this.dropTaken();
    const rest = this.limit - this.base - this.end;
    if (rest <= 0) return false;
    if (this.end === this.bytes.length) this.grow();
    const target = this.bytes.subarray(this.end, this.end + Math.min(this.bytes.length - this.end, rest));
    const count = await this.source.read(target, this.base + this.end);
    this.end += count;
    return count > 0;
  }

  private dropTaken(): void {
    const left = Math.max(0, this.end - this.at);
    if (left > 0) this.bytes.copyWithin(0, this.at, this.end);
    this.base += this.at;
    this.at = 0;
    this.kept = 0;
    this.end = left;
  }

  private grow(): void {
    if (this.bytes.length >= LONGEST_PIECE) throw this.damage('a part of it is too long');
    const larger = Buffer.allocUnsafe(this.bytes.length * 2);
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}
