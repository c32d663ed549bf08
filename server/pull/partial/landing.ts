import { appendFileSync, closeSync, constants, openSync, writeSync } from 'node:fs';
import { formatJournalLine } from './journal';

/** A file that bodies are written to, and the journal that says which bytes of it are there: absolute paths. */
export interface LandingPlace {
  readonly data: string;
  readonly journal: string;
}

/** Where in a file a body goes on, and how far. */
export interface Landing extends LandingPlace {
  /** Offset of the next byte. */
  readonly start: number;
  /** Behind the last byte that may be written. */
  readonly end: number;
}

/** Bytes as they arrive. */
export interface Body extends AsyncIterable<Uint8Array> {
  /**
   * Writes what follows to a file where it arrives, which spares it the way through other threads. To be called while a
   * chunk is the reader's, which then is its no more. Gives numbers of bytes that were written, one after the other,
   * until all are there or nothing follows; what breaks the body off is thrown to the reader of its chunks. When this
   * is over nobody writes any more. Undefined where the next chunk has to be read.
   */
  readonly land?: ((landing: Landing) => AsyncIterable<number> | undefined) | undefined;
}

/**
 * The file of a body could not be written to, or read, beside all that may be wrong with a connection. The cause says
 * why.
 */
export class FileFault extends Error {
  constructor(cause: unknown) {
    super('the file of a body could not be used', { cause });
    this.name = 'FileFault';
  }
}

/** One write: what lies in the processor's cache is written quickest, and fewer calls gain nothing more. */
const WRITE_BYTES = 128 * 1024;

/** After so many bytes the journal has a line; what is written behind the last one is lost with the process. */
const JOURNAL_BYTES = 512 * 1024;

/** Writes a body to its place in a file, and what is there to its journal, in the thread that receives it. */
export class LandedBody {
  private readonly data: number;
  private readonly journal: number;
  private readonly gathered = Buffer.allocUnsafeSlow(WRITE_BYTES);
  private gatheredBytes = 0;
  /** Offset behind the last byte that is in the file. */
  private written: number;
  private journalled: number;
  private reported: number;

  /** @throws FileFault */
  constructor(private readonly landing: Landing) {
    this.written = landing.start;
    this.journalled = landing.start;
    this.reported = landing.start;
    this.data = opened(landing.data, 0);
    try {
      // Its owner writes to it as well: whole lines, each behind the last one.
      this.journal = opened(landing.journal, constants.O_APPEND);
    } catch (error) {
      closeSync(this.data);
      throw error;
    }
  }

  /** Whether there is room for no more. */
  get isFull(): boolean {
    return this.written + this.gatheredBytes === this.landing.end;
  }

  /** Bytes that nobody was told of yet. */
  get untoldBytes(): number {
    return this.written + this.gatheredBytes - this.reported;
  }

  /** Takes the beginning of what arrived. @returns how many bytes had room @throws FileFault */
  put(bytes: Uint8Array): number {
    const { end } = this.landing;
    const taken = bytes.subarray(0, end - this.written - this.gatheredBytes);
    if (this.gatheredBytes + taken.length > WRITE_BYTES) this.writeGathered();
    if (taken.length >= WRITE_BYTES) this.write(taken);
    else {
      this.gathered.set(taken, this.gatheredBytes);
      this.gatheredBytes += taken.length;
    }
    return taken.length;
  }

  /** Writes what was gathered, and says so in the journal. @throws FileFault */
  flush(): void {
    this.writeGathered();
    this.record();
  }

  /** @returns how many bytes the journal says to be in the file that nobody was told of yet */
  report(): number {
    const bytes = this.journalled - this.reported;
    this.reported = this.journalled;
    return bytes;
  }

  /** Writes nothing more. @throws FileFault: some volumes say only then that they did not take what was written */
  close(): void {
    told(() => {
      try {
        closeSync(this.data);
      } finally {
        closeSync(this.journal);
      }
    });
  }

  private writeGathered(): void {
    const bytes = this.gathered.subarray(0, this.gatheredBytes);
    this.gatheredBytes = 0;
    this.write(bytes);
  }

  private write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const count = told(() => writeSync(this.data, bytes, done, bytes.length - done, this.written));
      done += count;
      this.written += count;
    }
    if (this.written - this.journalled >= JOURNAL_BYTES) this.record();
  }

  private record(): void {
    if (this.written === this.journalled) return;
    const line = formatJournalLine({ type: 'written', start: this.journalled, end: this.written });
    told(() => appendFileSync(this.journal, line));
    this.journalled = this.written;
  }
}

function opened(path: string, flags: number): number {
  return told(() => openSync(path, constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0) | flags));
}

function told<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new FileFault(error);
  }
}
