import type { TransferLimits } from '../../../shared/transfer-limits';
import type { Clock } from '../../platform/clock';
import type { Body, Landing } from '../partial/landing';

/** Bytes are let through in slices of this size, so that connections take turns. */
const SLICE_BYTES = 16 * 1024;

/** What was not used lately may be caught up with, as far as this many ms back: timers are never exact. */
const CREDIT_MS = 100;

/** How long a wait lasts at most before the limits are looked at again, in ms. */
const LOOK_MS = 250;

/**
 * Holds all transfers of the process to their limits, which may change while they run. One schedule serves all: every
 * slice takes the next free time on it, in the order in which the connections ask.
 */
export class TransferLimiter {
  /** When the next slice may pass. */
  private freeAt = Number.NEGATIVE_INFINITY;
  private revision = 0;

  constructor(
    private readonly clock: Pick<Clock, 'elapsed' | 'sleep'>,
    private limits: TransferLimits
  ) {}

  /** The most connections that may share one file. */
  get connections(): number {
    return this.limits.connections;
  }

  /** Sets other limits, for transfers under way too. */
  change(limits: TransferLimits): void {
    this.limits = limits;
    this.freeAt = Number.NEGATIVE_INFINITY;
    this.revision += 1;
  }

  /** Passes a body on no faster than allowed; nothing is read ahead, so that its server has to wait as well. */
  paced(body: Body, signal: AbortSignal): Body {
    let untaken = 0;
    const chunks = async function* (this: TransferLimiter): AsyncGenerator<Uint8Array> {
      for await (const chunk of body) {
        for (let start = 0; start < chunk.length; ) {
          // Without a limit a chunk passes whole: taking it apart would only cost time.
          const slice = chunk.subarray(start, this.isUnlimited ? chunk.length : start + SLICE_BYTES);
          start += slice.length;
          untaken = chunk.length - start;
          await this.turn(slice.length, signal);
          yield slice;
        }
      }
    };
    return {
      [Symbol.asyncIterator]: () => chunks.call(this),
      // What is written elsewhere comes in steps that are too large for a slow rate.
      land: (landing) => (untaken === 0 && this.isUnlimited ? this.pacedLanding(body, landing, signal) : undefined)
    };
  }

  private get isUnlimited(): boolean {
    return this.limits.bytesPerSecond === 0;
  }

  private pacedLanding(body: Body, landing: Landing, signal: AbortSignal): AsyncIterable<number> | undefined {
    const landed = body.land?.(landing);
    const turn = (bytes: number): Promise<void> => this.turn(bytes, signal);
    if (!landed) return undefined;
    return (async function* () {
      for await (const bytes of landed) {
        // A limit may be set meanwhile.
        await turn(bytes);
        yield bytes;
      }
    })();
  }

  /** Waits until as many bytes may pass. @throws Failure('cancelled') */
  private async turn(bytes: number, signal: AbortSignal): Promise<void> {
    while (this.limits.bytesPerSecond > 0) {
      const { revision } = this;
      const passesAt = this.reserve(bytes, this.limits.bytesPerSecond);
      for (let wait = passesAt - this.clock.elapsed(); wait > 0; wait = passesAt - this.clock.elapsed()) {
        await this.clock.sleep(Math.min(wait, LOOK_MS), signal);
        if (revision !== this.revision) break;
      }
      if (revision === this.revision) return;
    }
  }

  private reserve(bytes: number, bytesPerSecond: number): number {
    const passesAt = Math.max(this.freeAt, this.clock.elapsed() - CREDIT_MS);
    this.freeAt = passesAt + (bytes / bytesPerSecond) * 1000;
    return passesAt;
  }
}
