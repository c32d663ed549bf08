import { setImmediate } from 'node:timers/promises';

/** How long work goes on before others get their turn, in milliseconds. */
const SLICE_MS = 8;

/** Work that pauses often, so that it can be done in slices, or at once by whoever cannot wait. */
export class SlicedWork<T> {
  private outcome: { readonly value: T } | undefined;

  constructor(private readonly work: Generator<undefined, T>) {}

  /** What came of it; undefined while it is not done. */
  get finished(): { readonly value: T } | undefined {
    return this.outcome;
  }

  /** What comes of it; what is not done yet is done at once. */
  get result(): T {
    while (!this.outcome) this.advance();
    return this.outcome.value;
  }

  /**
   * Does the work in slices, between which other requests get their turn.
   * @param isWanted asked after every slice
   * @returns what comes of it; undefined when nobody wants it any more
   */
  async inSlices(isWanted: () => boolean): Promise<{ readonly value: T } | undefined> {
    let sliceEnds = performance.now() + SLICE_MS;
    while (!this.outcome) {
      this.advance();
      if (performance.now() < sliceEnds) continue;
      await setImmediate();
      if (!isWanted()) return undefined;
      sliceEnds = performance.now() + SLICE_MS;
    }
    return this.outcome;
  }

  private advance(): void {
    const { done, value } = this.work.next();
    if (done) this.outcome = { value };
  }
}

/** Does work that pauses without the pauses. */
export function drained<T>(work: Generator<undefined, T>): T {
  return new SlicedWork(work).result;
}
