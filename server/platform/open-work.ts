import { setTimeout as delay } from 'node:timers/promises';

/** How long work may take to end once it is asked to, in ms: editors wait two seconds for the whole end. */
const END_MS = 1500;

/** Work that somebody waits for. None of it is to go on when the process ends. */
export class OpenWork {
  readonly #open = new Map<AbortController, Promise<unknown>>();

  /** Runs work with a signal that aborts when the given one does, or at the end. @throws what the work throws */
  async run<T>(given: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ending = new AbortController();
    const running = work(AbortSignal.any([given, ending.signal]));
    this.#open.set(ending, running);
    try {
      return await running;
    } finally {
      this.#open.delete(ending);
    }
  }

  /** Asks all that is under way to end, and waits until it has, though not for ever. */
  async end(): Promise<void> {
    if (this.#open.size === 0) return;
    const waiting = new AbortController();
    for (const ending of this.#open.keys()) ending.abort();
    const late = delay(END_MS, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([Promise.allSettled(this.#open.values()), late]);
    waiting.abort();
  }
}
