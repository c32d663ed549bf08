/** How long a number of connections is watched before another is tried, in ms. */
const WATCH_MS = 800;

/** How many times as many connections are tried next. */
const GROWTH = 3;

/** More connections are kept when they bring at least this much more. */
const WORTHWHILE = 1.15;

/** Each connection this fast (bytes a second) is limited by this machine, and more of them only cost time. */
const FAST_ENOUGH = 150 * 1000 * 1000;

/** So long, in ms, nothing goes wrong before more connections are tried after some were refused or dropped. */
const CALM_MS = 30_000;

/** Each time that they are refused or dropped again, the next try waits twice as long, at most this long. */
const LONGEST_CALM_MS = 16 * CALM_MS;

/**
 * Decides how many connections share a file: begins with few and tries more while the throughput grows, for servers
 * that limit each connection; goes back to the number before when it does not. After a connection was refused or dropped
 * it is content with those that remain for a while, for a network that fails for a moment is no server that limits.
 */
export class ConnectionWidth {
  private width: number;
  private state: State = { kind: 'watching' };
  private calmMs = CALM_MS;
  private hasTriedAgain = false;
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
    const { state } = this;
    if (state.kind === 'narrowed' && now - state.since >= this.calmMs) return this.tryAgain(now, bytes);
    const elapsed = now - this.watchedSince;
    if (state.kind !== 'watching' || elapsed < WATCH_MS) return;
    const rate = ((bytes - this.bytes) * 1000) / elapsed;
    this.watchedSince = now;
    this.bytes = bytes;
    this.width = this.connections;
    if (this.previous && rate < this.previous.rate * WORTHWHILE) {
      this.width = this.previous.width;
      this.state = { kind: 'settled' };
    } else if (rate / this.width >= FAST_ENOUGH) {
      this.state = { kind: 'settled' };
    } else if (this.width < this.most()) {
      this.previous = { rate, width: this.width };
      this.width = Math.min(this.most(), this.width * GROWTH);
    } else {
      this.previous = null;
    }
  }

  /** The server refused or dropped a connection: no more than those that remain are used for a while. */
  narrow(now: number, remaining: number): void {
    // Of several that are dropped together only the first says that the last try was too early.
    if (this.hasTriedAgain) this.calmMs = Math.min(2 * this.calmMs, LONGEST_CALM_MS);
    this.hasTriedAgain = false;
    this.width = Math.max(1, remaining);
    this.previous = null;
    this.state = { kind: 'narrowed', since: now };
  }

  private tryAgain(now: number, bytes: number): void {
    this.hasTriedAgain = true;
    this.state = { kind: 'watching' };
    this.watchedSince = now;
    this.bytes = bytes;
  }
}

/** Whether more connections may be tried: now, not any more, or some time after one was refused or dropped. */
type State =
  | { readonly kind: 'watching' }
  | { readonly kind: 'settled' }
  | { readonly kind: 'narrowed'; readonly since: number };
