import type { GenerationPhase, GenerationProgress } from '../../shared/job-events';
import { systemTicker, Throttle, type Ticker } from '../platform/throttle';
import type { EngineEvent } from './output';
import { type RunPlan, WorkDone } from './work-done';

export interface ProgressOptions extends RunPlan {
  readonly model: string;
  readonly onProgress: (progress: GenerationProgress) => void;
  /** Absent: the machine's time. */
  readonly ticker?: Ticker | undefined;
}

/** What the latest bar tells. */
type Bar = Pick<
  GenerationProgress,
  'part' | 'loaded' | 'step' | 'steps' | 'secondsPerStep' | 'pass' | 'passes' | 'tile' | 'tiles'
>;

/** Makes progress reports of what the engine tells: few enough for an editor, and the last one always arrives. */
export class ProgressReporter {
  readonly #options: ProgressOptions;
  readonly #ticker: Ticker;
  readonly #work: WorkDone;
  readonly #throttle: Throttle<GenerationProgress>;
  #phase: GenerationPhase = 'starting';
  /** What was last told of the phase's own work. */
  #bar: Bar = {};
  /** What is told instead while weights are read, in the middle of other phases. */
  #loading: Bar | undefined;
  #image = 1;
  #pass: 1 | 2 = 1;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#ticker = options.ticker ?? systemTicker;
    this.#work = new WorkDone(options);
    this.#throttle = new Throttle(options.onProgress, this.#ticker);
    this.#report();
  }

  /** Takes the next event of the engine. */
  observe(event: EngineEvent): void {
    this.#work.observe(event, this.#ticker.now());
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
        if (event.phase === 'decoding') this.#image = 1;
        this.#bar = {};
        this.#loading = undefined;
        return true;
      case 'image':
        this.#image = event.image;
        this.#bar = {};
        return true;
      case 'second-pass':
        this.#pass = 2;
        this.#image = event.image;
        this.#bar = {};
        return true;
      case 'decoded':
        this.#image = Math.min(event.image + 1, this.#options.images);
        this.#bar = {};
        return true;
      case 'bar':
        return this.#applyBar(event);
      default:
        return false;
    }
  }

  #applyBar({ kind, done, total, secondsPerUnit, part }: EngineEvent & { type: 'bar' }): boolean {
    switch (kind) {
      case 'weights': {
        const of = part === undefined ? {} : { part };
        this.#loading = done < total ? { ...of, loaded: done / total } : undefined;
        return true;
      }
      case 'steps': {
        const passes = this.#options.hires ? { pass: this.#pass, passes: 2 } : {};
        const pace = secondsPerUnit === undefined ? {} : { secondsPerStep: secondsPerUnit };
        this.#bar = { step: done, steps: total, ...pace, ...passes };
        break;
      }
      case 'tiles':
        this.#bar = { tile: done, tiles: total };
    }
    this.#loading = undefined;
    return true;
  }

  #report(): void {
    const { model, images } = this.#options;
    const { fraction, secondsLeft } = this.#work;
    // A conversion does nothing but read weights.
    const phase = this.#loading && this.#phase !== 'converting' ? 'loading' : this.#phase;
    this.#throttle.offer({
      model,
      phase,
      ...(this.#loading ?? this.#bar),
      image: this.#image,
      images,
      ...(fraction === undefined ? {} : { fraction }),
      ...(secondsLeft === undefined ? {} : { secondsLeft })
    });
  }
}
