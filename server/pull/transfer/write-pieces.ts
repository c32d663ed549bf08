import { Failure } from '../../../shared/failure';
import type { ByteRange } from '../partial/byte-ranges';
import type { Body, LandingPlace } from '../partial/landing';
import { TransientFault } from '../source';

export interface PieceWriter {
  /** Bytes of the whole content, or null. */
  readonly total: number | null;
  /** Names the source in errors. */
  readonly label: string;
  /** Writes at most 1 MiB at an offset. */
  readonly write: (chunk: Uint8Array, start: number) => Promise<void>;
  /** Where bodies write that do so themselves. */
  readonly place: LandingPlace;
  /** Counts what a body wrote and journalled itself. */
  readonly landed: (range: ByteRange) => Promise<void>;
  /** The piece that begins where the last one ended, if this body is to go on with it. */
  readonly next: (start: number) => ByteRange | undefined;
}

/** Bytes are written in chunks of this size, so that neither memory nor the journal grows with those that arrive. */
const WRITE_BYTES = 1024 * 1024;

/**
 * Writes a body piece by piece, and stops reading when it goes on beyond what this connection has to fetch.
 * @throws TransientFault when the body ends early; what arrived is written
 * @throws Failure when it is longer than the content
 */
export async function writePieces(
  body: Body,
  first: ByteRange,
  { total, label, write, place, landed, next }: PieceWriter
): Promise<void> {
  const buffer = new WriteBuffer(first.start, write);
  let { end } = first;
  try {
    for await (const chunk of body) {
      for (let rest = chunk; rest.length > 0; ) {
        if (buffer.position === end) {
          if (end === total) throw tooLong(label, total);
          const following = next(end);
          if (!following) return await buffer.flush();
          end = following.end;
        }
        rest = rest.subarray(await buffer.take(rest, end));
      }
      if (end - buffer.position < LARGE_BYTES) continue;
      const landing = body.land?.({ ...place, start: buffer.position, end });
      if (!landing) continue;
      await buffer.flush();
      for await (const bytes of landing) await landed(buffer.pass(bytes));
    }
  } catch (error) {
    // What arrived before the connection broke is worth keeping; what a refused body held is not.
    if (error instanceof TransientFault || (error instanceof Failure && error.code === 'cancelled')) {
      await buffer.flush();
    }
    throw error;
  }
  await buffer.flush();
  if (total !== null && buffer.position < end) {
    const message = `${label} ended at byte ${buffer.position} of ${total}.`;
    const nextStep = 'Check the network connection and try again; what was transferred is kept.';
    throw new TransientFault(new Failure('network', message, { subject: label, nextStep }));
  }
}

/** Chunks of at least this size are written as they are. */
const LARGE_BYTES = 256 * 1024;

/** Gathers small chunks into writes of at most 1 MiB. */
class WriteBuffer {
  private bytes: Buffer | undefined;
  private filled = 0;

  constructor(
    private start: number,
    private readonly write: PieceWriter['write']
  ) {}

  /** Offset of the next byte that is taken. */
  get position(): number {
    return this.start + this.filled;
  }

  /** Takes the beginning of a chunk, at most up to an offset. @returns how many bytes were taken */
  async take(chunk: Uint8Array, end: number): Promise<number> {
    const whole = chunk.subarray(0, Math.min(WRITE_BYTES, end - this.position));
    if (whole.length >= LARGE_BYTES) {
      await this.flush();
      this.start += whole.length;
      await this.write(whole, this.start - whole.length);
      return whole.length;
    }
    const part = chunk.subarray(0, Math.min(WRITE_BYTES - this.filled, end - this.position));
    this.bytes ??= Buffer.allocUnsafe(WRITE_BYTES);
    this.bytes.set(part, this.filled);
    this.filled += part.length;
    if (this.filled === WRITE_BYTES) await this.flush();
    return part.length;
  }

  /** Goes on behind bytes that are written already, when nothing waits to be. */
  pass(bytes: number): ByteRange {
    const { start } = this;
    this.start = start + bytes;
    return { start, end: this.start };
  }

  async flush(): Promise<void> {
    const { bytes, filled, start } = this;
    this.filled = 0;
    this.start = start + filled;
    if (bytes && filled > 0) await this.write(bytes.subarray(0, filled), start);
  }
}

function tooLong(label: string, total: number): Failure {
  return new Failure('size-mismatch', `${label} sent more than the ${total} bytes that the file has.`, {
    subject: label,
    nextStep: 'Check size_bytes in the manifest; if it is right, use another source.'
  });
}
