/** Time as a throttle needs it; tests bring their own. */
export interface Ticker {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Calls back once after some milliseconds; the result takes that back. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** The time of the machine. */
export const systemTicker: Ticker = {
  now: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  }
};

/** At most ten values a second. */
const INTERVAL_MS = 100;

/** Lets through at most ten values a second; of those that come faster the last one arrives when its time has come. */
export class Throttle<T> {
  private lastAt = Number.NEGATIVE_INFINITY;
  private held: { readonly value: T } | undefined;
  private cancelTimer: (() => void) | undefined;

  constructor(
    private readonly emit: (value: T) => void,
    private readonly ticker: Ticker = systemTicker
  ) {}

  /** Emits a value now, or the last of those offered until the next one is due. */
  offer(value: T): void {
    this.held = { value };
    const wait = this.lastAt + INTERVAL_MS - this.ticker.now();
    if (wait <= 0) this.flush();
    else this.cancelTimer ??= this.ticker.after(wait, () => this.flush());
  }

  /** Emits at once what was held back. */
  flush(): void {
    const { held } = this;
    this.stop();
    if (!held) return;
    this.lastAt = this.ticker.now();
    this.emit(held.value);
  }

  /** Drops what was held back. */
  stop(): void {
    this.cancelTimer?.();
    this.cancelTimer = undefined;
    this.held = undefined;
  }
}
