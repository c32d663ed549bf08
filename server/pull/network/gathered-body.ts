import { LandedBody, type Landing } from '../partial/landing';
import type { TransferTuning } from '../transfer-tuning';

/** What of the tuning concerns a body under way. */
export type StallLimits = Pick<TransferTuning, 'stallMs' | 'stallBytes'>;

/** How the sender of a body is held up, and let go on. */
export interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** The most that a chunk has; a step through every layer for each 64 KiB that arrive costs more than the bytes do. */
const CHUNK_BYTES = 512 * 1024;

/**
 * The first chunk has at most this much, and none has more than all before it: whoever gives a body up early wastes
 * little of what was gathered for it.
 */
const FIRST_BYTES = 128 * 1024;

/** What a connection brings at once. A chunk with less room than that is handed on, so that nothing is torn apart. */
const READ_BYTES = 64 * 1024;

/** Who reads is told of what is written to a file once there is this much of it, and some time has passed, in ms. */
const TOLD_BYTES = 512 * 1024;
const TELL_MS = 10;

/** Without waiting for that time it is told of this much. To wake a thread costs as much as receiving 100 KiB. */
const MOST_UNTOLD_BYTES = 4 * 1024 * 1024;

/** The sender is held up when this much is written that the reader does not ask for. */
const MOST_UNASKED_BYTES = 1024 * 1024;

/**
 * Buffers that other threads can read, kept to be used again: for one file after the other, and for its pieces. Left to
 * the collector they would pile up, for it does not see how large they are.
 */
export class ChunkBuffers {
  private readonly free: Buffer[] = [];
  private used = 0;

  take(): Buffer {
    this.used += 1;
    return this.free.pop() ?? Buffer.from(new SharedArrayBuffer(CHUNK_BYTES));
  }

  giveBack(buffer: Buffer): void {
    this.used -= 1;
    this.free.push(buffer);
    this.free.length = Math.min(this.free.length, this.used + LEAST_FREE_BUFFERS);
  }
}

/** As many as one connection needs; more are kept only while as many are in use. */
const LEAST_FREE_BUFFERS = 2;

/** Code of the error that a body ends with whose server sends next to nothing. */
export const CRAWLING = 'CRAWLING';

/** A server that goes on sending, but so little that the file would never be there. */
class Crawling extends Error {
  readonly code = CRAWLING;
}

/** A piece of a body: in memory, or how many bytes of it were written to a file. */
export type Gathered = { readonly bytes: Uint8Array } | { readonly landed: number };

/**
 * A body as it arrives, gathered into chunks of up to 512 KiB. Two buffers take turns: one is filled while the other is read,
 * and when both are full the sender is held up. A chunk is the reader's until it asks for the next one. Instead, what
 * follows may be written to a file, and as much of it may be there without having been told. Of a body that breaks off,
 * what had arrived comes before the error.
 */
export class GatheredBody implements AsyncIterable<Gathered> {
  private filling: Buffer = NOTHING;
  private other: Buffer = NOTHING;
  private filled = 0;
  private takenBytes = 0;
  /** What had no room any more; its sender is held up then. */
  private excess: Buffer = NOTHING;
  private receivedBytes = 0;
  private landing: LandedBody | undefined;
  private telling: NodeJS.Timeout | undefined;
  private isTimeToTell = false;
  private isHalting = false;
  private ended: { readonly error: Error | undefined } | undefined;
  private wake: () => void = ignore;

  constructor(
    private readonly flow: Flow,
    private readonly limits: StallLimits,
    private readonly buffers: ChunkBuffers
  ) {}

  /** Adds what arrived. Its memory may be used for something else as soon as this returns. */
  add(bytes: Buffer): void {
    if (this.ended) return;
    this.receivedBytes += bytes.length;
    this.attempt(() => this.put(bytes));
    if (this.isFull) {
      // Somebody who waits takes it before more can arrive.
      if (this.isAwaited) this.wake();
      else this.flow.pause();
    } else if (this.landing && this.landing.untoldBytes >= TOLD_BYTES) {
      this.telling ??= setTimeout(() => this.tellNow(), TELL_MS);
    }
  }

  /** Nothing more will arrive. */
  end(error?: Error): void {
    this.ended ??= { error };
    this.wake();
  }

  /** Writes what follows to a file, until there is no room for more. */
  land(landing: Landing): void {
    const { filling, filled, excess } = this;
    this.filled = 0;
    this.excess = NOTHING;
    this.attempt(() => {
      this.landing = new LandedBody(landing);
      this.put(filling.subarray(0, filled));
      this.put(excess);
    });
    this.letGoOn();
  }

  /** Tells at once what was written, and writes nothing more. */
  halt(): void {
    this.isHalting = this.landing !== undefined;
  }

  /** Ends the exchange without waiting for the rest of the body. No chunk may be read any more. */
  discard(): void {
    if (!this.ended) this.flow.abort(new Error('the rest of the body is not wanted'));
    this.ended ??= { error: undefined };
    this.closeLanding();
    for (const buffer of [this.filling, this.other]) if (buffer !== NOTHING) this.buffers.giveBack(buffer);
    this.filling = NOTHING;
    this.other = NOTHING;
    this.filled = 0;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Gathered> {
    while (await this.hasChunk()) {
      const landed = this.landed();
      yield landed === undefined ? { bytes: this.take() } : { landed };
    }
  }

  private get isFull(): boolean {
    const { landing } = this;
    if (landing) {
      const most = this.isAwaited ? MOST_UNTOLD_BYTES : MOST_UNASKED_BYTES;
      return this.isHalting || landing.isFull || landing.untoldBytes >= most;
    }
    const most = Math.min(CHUNK_BYTES, Math.max(FIRST_BYTES, this.takenBytes));
    return this.filled > most - READ_BYTES;
  }

  /** Whether the reader waits. */
  private get isAwaited(): boolean {
    return this.wake !== ignore;
  }

  /** Waits for a whole chunk, or for the end. @throws the error that the body ended with */
  private async hasChunk(): Promise<boolean> {
    while (!this.isFull && !this.isTimeToTell && !this.ended) {
      const before = this.receivedBytes;
      const hasWaitedLong = (await this.news()) === 'late';
      const arrived = this.receivedBytes - before;
      // Silence is ended by the client's own timeout.
      if (hasWaitedLong && arrived > 0 && arrived < this.limits.stallBytes) this.flow.abort(new Crawling());
    }
    if (this.landing || this.filled > 0) return true;
    if (this.ended?.error) throw this.ended.error;
    return false;
  }

  private news(): Promise<'woken' | 'late'> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle(resolve, 'late'), this.limits.stallMs);
      this.wake = () => {
        clearTimeout(timer);
        this.settle(resolve, 'woken');
      };
    });
  }

  private settle<News>(resolve: (news: News) => void, news: News): void {
    this.wake = ignore;
    resolve(news);
  }

  /** Whether written to a file or not: a fault there ends the body. */
  private attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      const fault = error instanceof Error ? error : new Error(String(error));
      // Also of a body that is all there, but not in the file.
      if (!this.ended?.error) this.ended = { error: fault };
      this.flow.abort(fault);
      this.wake();
    }
  }

  private put(arrived: Buffer): void {
    const bytes = arrived.subarray(this.landing?.put(arrived) ?? 0);
    if (bytes.length === 0) return;
    if (this.filling === NOTHING) this.filling = this.buffers.take();
    const taken = bytes.copy(this.filling, this.filled);
    this.filled += taken;
    if (taken < bytes.length) this.excess = Buffer.concat([this.excess, bytes.subarray(taken)]);
  }

  /** How many bytes were written that nobody knows of; undefined when what follows is in memory. */
  private landed(): number | undefined {
    const { landing } = this;
    if (!landing) return undefined;
    this.attempt(() => landing.flush());
    const bytes = landing.report();
    this.haveTold();
    if (this.isHalting || this.ended || landing.isFull) this.closeLanding();
    this.letGoOn();
    return bytes;
  }

  private tellNow(): void {
    this.isTimeToTell = true;
    this.wake();
  }

  private haveTold(): void {
    clearTimeout(this.telling);
    this.telling = undefined;
    this.isTimeToTell = false;
  }

  private closeLanding(): void {
    const { landing } = this;
    this.haveTold();
    this.landing = undefined;
    this.isHalting = false;
    if (landing) this.attempt(() => landing.close());
  }

  private letGoOn(): void {
    if (!this.isFull) this.flow.resume();
  }

  private take(): Uint8Array {
    const chunk = this.filling.subarray(0, this.filled);
    [this.filling, this.other] = [this.other, this.filling];
    this.takenBytes += this.filled;
    this.filled = 0;
    const { excess } = this;
    this.excess = NOTHING;
    if (excess.length > 0) this.put(excess);
    this.letGoOn();
    return chunk;
  }
}

const NOTHING = Buffer.alloc(0);

function ignore(): void {}
