import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { FileFault } from '../partial/landing';

/** What a request sends along. */
export type RequestBody =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** A part of a file of this machine, read while it is sent; `end` is the byte behind the last one. */
  | { readonly kind: 'file'; readonly path: string; readonly start: number; readonly end: number };

/** One read and one write: more than a connection takes at once, so that it is asked for more only when all is gone. */
const CHUNK_BYTES = 128 * 1024;

/** At once one chunk is written to the connection, one waits in the stream and one is read; another is to spare. */
const BUFFERS = 4;

/** How many bytes are sent between two reports. */
const REPORT_BYTES = 512 * 1024;

/** @returns bytes */
export function bodyLength(body: RequestBody): number {
  return body.kind === 'bytes' ? body.bytes.length : body.end - body.start;
}

/**
 * A body on its way to the connection, in chunks and never wholly in memory, whatever it is made of: so a slow
 * connection shows that it takes something. @param onSent hears how many bytes were handed over so far
 */
export function bodyStream(body: RequestBody, onSent: (bytes: number) => void): Readable {
  return body.kind === 'bytes' ? new BodyStream(slices(body.bytes), onSent) : new BodyStream(fileChunks(body), onSent);
}

/** Where the chunks of a body come from. */
interface Chunks {
  /** @returns undefined at the end */
  next(): Uint8Array | undefined;
  close(): void;
}

class BodyStream extends Readable {
  private sent = 0;
  private reported = 0;

  constructor(
    private readonly chunks: Chunks,
    private readonly onSent: (bytes: number) => void
  ) {
    super({ highWaterMark: CHUNK_BYTES });
  }

  override _read(): void {
    let chunk: Uint8Array | undefined;
    try {
      chunk = this.chunks.next();
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.sent += chunk?.length ?? 0;
    if (chunk === undefined || this.sent - this.reported >= REPORT_BYTES) this.report();
    this.push(chunk ?? null);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.chunks.close();
    done(error);
  }

  private report(): void {
    if (this.sent > this.reported) this.onSent(this.sent);
    this.reported = this.sent;
  }
}

function slices(bytes: Uint8Array): Chunks {
  let position = 0;
  return {
    next() {
      if (position === bytes.length) return undefined;
      const chunk = bytes.subarray(position, position + CHUNK_BYTES);
      position += chunk.length;
      return chunk;
    },
    close: () => undefined
  };
}

/** Opened with the first chunk. */
function fileChunks({ path, start, end }: RequestBody & { readonly kind: 'file' }): Chunks {
  const buffers = Array.from({ length: BUFFERS }, () => Buffer.allocUnsafeSlow(CHUNK_BYTES));
  let file: number | undefined;
  let position = start;
  let count = 0;
  return {
    next() {
      if (position === end) return undefined;
      const buffer = buffers[count % BUFFERS] ?? Buffer.alloc(CHUNK_BYTES);
      count += 1;
      try {
        // A pipe that took the file's place is opened without waiting for a writer, and then ends at once.
        file ??= openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
        const read = readSync(file, buffer, 0, Math.min(CHUNK_BYTES, end - position), position);
        if (read === 0) throw new Error('the file ended early');
        position += read;
        return buffer.subarray(0, read);
      } catch (error) {
        throw new FileFault(error);
      }
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    }
  };
}
