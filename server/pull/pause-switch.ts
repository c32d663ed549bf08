import { cancelled } from '../../shared/failure';

/** What a pull does when it comes to stand still, and when it goes on. */
export interface PausedWork<T> {
  readonly signal: AbortSignal;
  /** Called once the work has stopped: its connections are closed, what it received is kept. */
  readonly onPaused: () => void;
  readonly onResumed: () => void;
  /** Must stop soon when the signal aborts, and be able to go on where it was when it is called again. */
  readonly work: (signal: AbortSignal) => Promise<T>;
}

/** Lets a pull stand still and go on, as often as somebody likes. */
export class PauseSwitch {
  private interruption = new AbortController();
  private resumption = new AbortController();

  get isPaused(): boolean {
    return this.interruption.signal.aborted;
  }

  pause(): void {
    this.interruption.abort();
  }

  resume(): void {
    if (!this.isPaused) return;
    const { resumption } = this;
    this.interruption = new AbortController();
    this.resumption = new AbortController();
    resumption.abort();
  }

  /**
   * Does a piece of work that a pause stops and a resume begins again, until it comes to an end.
   * @throws Failure('cancelled') when that is wished during a pause, and what the work throws
   */
  async run<T>({ signal, onPaused, onResumed, work }: PausedWork<T>): Promise<T> {
    for (;;) {
      if (this.isPaused) {
        onPaused();
        await this.untilResumed(signal);
        onResumed();
      }
      const { signal: interruption } = this.interruption;
      try {
        return await work(AbortSignal.any([signal, interruption]));
      } catch (error) {
        if (signal.aborted || !interruption.aborted) throw error;
      }
    }
  }

  private async untilResumed(signal: AbortSignal): Promise<void> {
    while (this.isPaused && !signal.aborted) {
      const either = AbortSignal.any([signal, this.resumption.signal]);
      await new Promise<void>((done) => either.addEventListener('abort', () => done(), { once: true }));
    }
    if (signal.aborted) throw cancelled('The pull');
  }
}
