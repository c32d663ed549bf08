/** How many steps' lengths the pace is told from: enough to even out, few enough to follow a machine that slows down. */
const REMEMBERED = 5;

/** An estimate that grew by less than this share, and by these seconds, is only unsteady. */
const UNSTEADY_SHARE = 1.5;
const UNSTEADY_SECONDS = 3;

/** How long units of work take lately. */
export class Pace {
  /** When units were done, in ms, with how much was done by then. */
  readonly #marks: { readonly at: number; readonly done: number }[] = [];

  /**
   * Notes how much is done by now.
   * @param done in any unit; grows
   * @param at in ms
   */
  mark(done: number, at: number): void {
    this.#marks.push({ at, done });
    if (this.#marks.length > REMEMBERED + 1) this.#marks.shift();
  }

  /** Forgets when the last unit was done: what comes next is no work of the same kind. */
  interrupt(): void {
    this.#marks.length = 0;
  }

  /** undefined until two units in a row were noted: the first one includes the reading of weights. */
  get secondsPerUnit(): number | undefined {
    const [first] = this.#marks;
    const last = this.#marks.at(-1);
    if (!first || !last || last.done <= first.done) return undefined;
    return (last.at - first.at) / 1000 / (last.done - first.done);
  }
}

/**
 * The seconds left as they are shown: they never rise. An estimate that is a little longer than the last one is not
 * shown, the last one stays; one that is much longer shows that the last one was wrong, and then there is none until
 * it has become true again.
 */
export class FallingEstimate {
  #shown = Number.POSITIVE_INFINITY;

  /** @param seconds what is left by the latest reckoning */
  next(seconds: number): number | undefined {
    if (seconds <= this.#shown) this.#shown = seconds;
    else if (seconds > this.#shown * UNSTEADY_SHARE + UNSTEADY_SECONDS) return undefined;
    return this.#shown;
  }
}
