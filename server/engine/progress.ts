import type { GenerationPhase, GenerationProgress } from '../../shared/job-events';
import type { EngineEvent } from './output';

/** Time as the reporter needs it; tests bring their own. */
export interface ProgressClock {
  /** Milliseconds that only ever grow. */
  now(): number;
  /** Calls back once after some milliseconds; the result takes that back. */
  after(milliseconds: number, callback: () => void): () => void;
}

/** The clock of the machine. */
export const machineClock: ProgressClock = {
  now: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  }
};

export interface ProgressOptions {
  readonly model: string;
  /** How many images were asked for. */
  readonly images: number;
  readonly onProgress: (progress: GenerationProgress) => void;
  readonly clock: ProgressClock;
}

/** At most ten reports a second. */
const INTERVAL_MS = 100;

/** Makes progress reports of what the engine tells: few enough for an editor, and the last one always arrives. */
export class ProgressReporter {
  readonly #options: ProgressOptions;
  #phase: GenerationPhase = 'starting';
  #isLoading = false;
  #step: Pick<GenerationProgress, 'step' | 'steps' | 'secondsPerStep'> = {};
  #image = 1;
  #reportedAt = -Infinity;
  #cancelTimer: (() => void) | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#report();
  }

  /** Takes the next event of the engine. */
  observe(event: EngineEvent): void {
    if (this.#apply(event)) this.#reportSoon();
  }

  /** Reports what was held back; nothing is reported afterwards unless more events come. */
  flush(): void {
    if (this.#cancelTimer) this.#report();
  }

  /** Drops what was held back, for a run that failed. */
  stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  /** Whether the event changed what is reported. */
  #apply(event: EngineEvent): boolean {
    switch (event.type) {
      case 'phase':
        this.#phase = event.phase;
        this.#step = {};
        return true;
      case 'image':
        this.#image = event.image;
        this.#step = {};
        return true;
      case 'bar':
        return this.#applyBar(event);
      default:
        return false;
    }
  }

  #applyBar({ kind, done, total, secondsPerUnit }: EngineEvent & { type: 'bar' }): boolean {
    if (kind === 'tiles') return false;
    // Weights are read when they are first needed, in the middle of other phases.
    this.#isLoading = kind === 'weights' && done < total;
    if (kind === 'steps') {
      this.#step = {
        step: done,
        steps: total,
        ...(secondsPerUnit === undefined ? {} : { secondsPerStep: secondsPerUnit })
      };
    }
    return true;
  }

  #reportSoon(): void {
    if (this.#cancelTimer) return;
    const { clock } = this.#options;
    const wait = this.#reportedAt + INTERVAL_MS - clock.now();
    if (wait <= 0) this.#report();
    else this.#cancelTimer = clock.after(wait, () => this.#report());
  }

  #report(): void {
    this.stop();
    const { model, images, clock, onProgress } = this.#options;
    this.#reportedAt = clock.now();
    onProgress({
      model,
      phase: this.#isLoading ? 'loading' : this.#phase,
      ...this.#step,
      image: this.#image,
      images
    });
  }
}
