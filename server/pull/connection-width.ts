/** How long a number of connections is watched before another is tried, in ms. */
const WATCH_MS = 800;

/** How many times as many connections are tried next. */
const GROWTH = 3;

/** More connections are kept when they bring at least this much more. */
const WORTHWHILE = 1.15;

/** Each connection this fast (bytes a second) is limited by this machine, and more of them only cost time. */
const FAST_ENOUGH = 150 * 1000 * 1000;

/**
 * Decides how many connections share a file: begins with few and tries more while the throughput grows, for servers
 * that limit each connection; goes back to the number before when it does not.
 */
export class ConnectionWidth {
  private width: number;
  private settled = false;
  private previous: { readonly rate: number; readonly width: number } | null = null;
  private watchedSince: number;
  private bytes: number;

  /**
   * @param now milliseconds since any fixed point
   * @param bytes that are there already
   * @param first how many to begin with
   * @param most how many are allowed; asked again and again, for that may change
   */
  constructor(
    now: number,
    bytes: number,
    first: number,
    private readonly most: () => number
  ) {
    this.watchedSince = now;
    this.bytes = bytes;
    this.width = Math.min(first, most());
  }

  get connections(): number {
    return Math.min(this.width, this.most());
  }

  /** Notes the bytes that are there by now. */
  note(now: number, bytes: number): void {
    const elapsed = now - this.watchedSince;
    if (this.settled || elapsed < WATCH_MS) return;
    const rate = ((bytes - this.bytes) * 1000) / elapsed;
    this.watchedSince = now;
    this.bytes = bytes;
    this.width = this.connections;
    if (this.previous && rate < this.previous.rate * WORTHWHILE) {
      this.width = this.previous.width;
      this.settled = true;
    } else if (rate / this.width >= FAST_ENOUGH) {
      this.settled = true;
    } else if (this.width < this.most()) {
      this.previous = { rate, width: this.width };
      this.width = Math.min(this.most(), this.width * GROWTH);
    } else {
      this.previous = null;
    }
  }

  /** The server refused or dropped a connection: no more than those that remain are tried again. */
  narrow(remaining: number): void {
    this.width = Math.max(1, remaining);
    this.settled = true;
  }
}
