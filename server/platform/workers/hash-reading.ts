import type { Hash } from 'node:crypto';
import { readSync } from 'node:fs';

/**
 * One read. What was read is still in the processor's cache when it is hashed: with reads of 256 KiB and more, the
 * copying alone took three times as long.
 */
const READ_BYTES = 128 * 1024;

/** The most that is hashed before the thread hears its messages again. */
export const TURN_BYTES = 4 * 1024 * 1024;

/**
 * Hashes a file front to back. It reads without leaving the thread, for the way through the event loop costs more than
 * it gains: the system reads ahead of a sequential reader by itself.
 */
export class HashReading {
  private readonly buffer = Buffer.allocUnsafeSlow(READ_BYTES);

  constructor(
    private readonly fd: number,
    private readonly hash: Hash,
    private next = 0
  ) {}

  /** Of the next byte. */
  get position(): number {
    return this.next;
  }

  /**
   * Hashes up to `end`, but not more than {@link TURN_BYTES}.
   * @returns false where the file ended before
   */
  take(end: number): boolean {
    const stop = Math.min(end, this.next + TURN_BYTES);
    while (this.next < stop) {
      const read = readSync(this.fd, this.buffer, 0, Math.min(READ_BYTES, stop - this.next), this.next);
      if (read === 0) return false;
      this.hash.update(read === READ_BYTES ? this.buffer : this.buffer.subarray(0, read));
      this.next += read;
    }
    return true;
  }
}
