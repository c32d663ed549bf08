/** The rate is an average over about this long, in ms. */
const WINDOW_MS = 5000;

/** A rate before this much time has passed says nothing, in ms. */
const SETTLING_MS = 500;

/** Tells the rate of a transfer from its byte counts, smoothed exponentially. Times are in ms. */
export class TransferRate {
  private rate: number | null = null;
  private readonly startedAt: number;
  private readonly startedWith: number;
  private at: number;
  private bytes: number;

  constructor(now: number, bytes: number) {
    this.startedAt = now;
    this.startedWith = bytes;
    this.at = now;
    this.bytes = bytes;
  }

  /** Notes the bytes that are there by now. */
  note(now: number, bytes: number): void {
    const elapsed = now - this.at;
    if (elapsed <= 0) return;
    const current = ((bytes - this.bytes) * 1000) / elapsed;
    const weight = 1 - Math.exp(-elapsed / WINDOW_MS);
    const average = ((bytes - this.startedWith) * 1000) / (now - this.startedAt);
    this.rate =
      this.rate === null || now - this.startedAt < WINDOW_MS ? average : this.rate + weight * (current - this.rate);
    this.at = now;
    this.bytes = bytes;
  }

  /** Bytes a second, or null while it is too early to tell. */
  get bytesPerSecond(): number | null {
    return this.at - this.startedAt < SETTLING_MS ? null : this.rate;
  }
}
