import type { Clock } from '../../platform/clock';
import { askedWaitMs, type WaitHeaders } from './http-headers';

/** Those who wait together set out apart, within this part of the wait and this many ms. */
const SPREAD = { share: 0.1, mostMs: 1000 };

/** Waits shorter than this are not worth a word, in ms. */
const NOTEWORTHY_MS = 1000;

/** Who hears of a wait: the host, and how long in ms. */
export type OnWait = (host: string, milliseconds: number) => void;

/**
 * Servers that asked to be left alone for a while. When one request is told so, no other one of this process goes out
 * to the same origin before that time.
 */
export class OriginWaits {
  /** When an origin may be asked again, on the clock that only grows. */
  private readonly until = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  /** Takes in what an answer says about the next request. */
  note(url: URL, answer: WaitHeaders): void {
    const wait = askedWaitMs(answer, this.clock.now());
    if (wait === 0) return;
    const until = this.clock.elapsed() + wait;
    this.until.set(url.origin, Math.max(this.until.get(url.origin) ?? 0, until));
  }

  /** Waits until an origin may be asked. @throws Failure('cancelled') */
  async pass(url: URL, signal: AbortSignal, onWait: OnWait | undefined): Promise<void> {
    // What was waited for is not waited for again; more may have been asked meanwhile.
    for (let waitedFor = 0; ; ) {
      const until = this.until.get(url.origin) ?? 0;
      const wait = until - this.clock.elapsed();
      if (wait <= 0 || until <= waitedFor) return;
      if (wait >= NOTEWORTHY_MS) onWait?.(url.host, wait);
      const spread = Math.min(wait * SPREAD.share, SPREAD.mostMs) * Math.random();
      await this.clock.sleep(Math.round(wait + spread), signal);
      waitedFor = until;
    }
  }
}
