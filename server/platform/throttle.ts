/** Events at most this often: every 100 ms. */
const INTERVAL_MS = 100;

/**
 * Lets through at most ten values a second. The last one before {@link Throttle.flush} is never lost.
 */
export class Throttle<T> {
  private lastAt = Number.NEGATIVE_INFINITY;
  private held: { readonly value: T } | undefined;

  /** @param now milliseconds since any fixed point */
  constructor(
    private readonly emit: (value: T) => void,
    private readonly now: () => number
  ) {}

  /** Emits a value, or holds it until the next one that is due. */
  offer(value: T): void {
    const now = this.now();
    if (now - this.lastAt < INTERVAL_MS) {
      this.held = { value };
      return;
    }
    this.lastAt = now;
    this.held = undefined;
    this.emit(value);
  }

  /** Emits what was held back. */
  flush(): void {
    const { held } = this;
    this.held = undefined;
    if (held) this.emit(held.value);
  }
}
