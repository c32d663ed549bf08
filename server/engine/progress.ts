import type { GenerationPhase, GenerationProgress } from '../../shared/job-events';
import { Throttle, type Ticker } from '../platform/throttle';
import type { EngineEvent } from './output';

export interface ProgressOptions {
  readonly model: string;
  /** How many images were asked for. */
  readonly images: number;
  readonly onProgress: (progress: GenerationProgress) => void;
  /** Absent: the machine's time. */
  readonly ticker?: Ticker | undefined;
}

/** Makes progress reports of what the engine tells: few enough for an editor, and the last one always arrives. */
export class ProgressReporter {
  readonly #options: ProgressOptions;
  #phase: GenerationPhase = 'starting';
  #isLoading = false;
  #step: Pick<GenerationProgress, 'step' | 'steps' | 'secondsPerStep'> = {};
  #image = 1;
  readonly #throttle: Throttle<GenerationProgress>;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#throttle = new Throttle(options.onProgress, options.ticker);
    this.#report();
  }

  /** Takes the next event of the engine. */
  observe(event: EngineEvent): void {
    if (this.#apply(event)) this.#report();
  }

  /** Reports what was held back; nothing is reported afterwards unless more events come. */
  flush(): void {
    this.#throttle.flush();
  }

  /** Drops what was held back, for a run that failed. */
  stop(): void {
    this.#throttle.stop();
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

  #report(): void {
    const { model, images } = this.#options;
    this.#throttle.offer({
      model,
      phase: this.#isLoading ? 'loading' : this.#phase,
      ...this.#step,
      image: this.#image,
      images
    });
  }
}
