import type { GenerationPhase } from '../../shared/job-events';
import { FallingEstimate, Pace } from './estimate';
import type { EngineEvent } from './output';

/** What a run is going to do, as far as its progress depends on it. */
export interface RunPlan {
  /** How many images were asked for. */
  readonly images: number;
  /** The second pass: how many times wider the image becomes, and its steps where the request says how many. */
  readonly hires?: { readonly scale: number; readonly steps?: number | undefined } | undefined;
}

/**
 * What decoding an image is worth in steps of sampling, until one was timed. Nothing tells beforehand: with real
 * models it lies between a third of a step and four.
 */
const DECODING_STEPS = 2;

/**
 * How much of a run is done and left. The unit is a step of the first pass; a step of the second pass is worth as
 * many as its image has more pixels.
 */
export class WorkDone {
  readonly #plan: RunPlan;
  /** Sampling, decoding and tiles advance at paces that tell nothing about each other. */
  readonly #sampling = new Pace();
  readonly #decoding = new Pace();
  readonly #tiles = new Pace();
  readonly #estimate = new FallingEstimate();
  #pass: 1 | 2 = 1;
  #image = 1;
  /** Steps of each pass for one image, as the engine counts them; 0: not known. */
  #steps = { 1: 0, 2: 0 };
  #step = 0;
  #decoded = 0;
  #stage: 'before' | 'sampling' | 'decoding' | 'after' = 'before';
  #tile: { readonly done: number; readonly total: number } | undefined;
  #fraction: number | undefined;

  constructor(plan: RunPlan) {
    this.#plan = plan;
  }

  /** Takes the next event. @param at in ms */
  observe(event: EngineEvent, at: number): void {
    switch (event.type) {
      case 'image':
        this.#image = event.image;
        this.#step = 0;
        return;
      case 'second-pass':
        if (this.#pass === 1) this.#sampling.interrupt();
        this.#pass = 2;
        this.#image = event.image;
        this.#step = 0;
        return;
      case 'phase':
        this.#enter(event.phase, at);
        return;
      case 'decoded':
        this.#decoded = event.image;
        this.#decoding.mark(event.image, at);
        this.#forgetTiles();
        break;
      case 'bar':
        this.#advance(event, at);
        break;
      default:
        return;
    }
    const { done, left } = this.#units();
    if (done > 0) this.#fraction = Math.max(this.#fraction ?? 0, done / (done + left));
  }

  /** 0 to 1, never falls; undefined before the first step. */
  get fraction(): number | undefined {
    return this.#fraction;
  }

  /** Never rises; undefined while it cannot be told. */
  get secondsLeft(): number | undefined {
    const seconds = this.#secondsLeft();
    return seconds === undefined ? undefined : this.#estimate.next(seconds);
  }

  #enter(phase: GenerationPhase, at: number): void {
    this.#forgetTiles();
    if (phase === 'sampling') this.#stage = 'sampling';
    else if (phase === 'decoding') {
      this.#decoding.mark(0, at);
      this.#stage = 'decoding';
    } else if (this.#stage !== 'before' || phase === 'enlarging') this.#stage = 'after';
  }

  #advance({ kind, done, total }: EngineEvent & { type: 'bar' }, at: number): void {
    if (kind === 'steps') {
      this.#steps[this.#pass] = total;
      this.#step = done;
      this.#sampling.mark(this.#samplingDone(), at);
    } else if (kind === 'tiles') {
      this.#tile = { done, total };
      this.#tiles.mark(done, at);
    }
  }

  #forgetTiles(): void {
    this.#tile = undefined;
    this.#tiles.interrupt();
  }

  get #secondStepUnits(): number {
    return (this.#plan.hires?.scale ?? 1) ** 2;
  }

  /** Steps of the second pass for one image. */
  get #secondSteps(): number {
    const { hires } = this.#plan;
    if (!hires && this.#pass === 1) return 0;
    return this.#steps[2] || (hires?.steps ?? this.#steps[1]);
  }

  #samplingDone(): number {
    const inPass = (this.#image - 1) * this.#steps[this.#pass] + this.#step;
    if (this.#pass === 1) return inPass;
    return this.#plan.images * this.#steps[1] + inPass * this.#secondStepUnits;
  }

  #samplingTotal(): number {
    return this.#plan.images * (this.#steps[1] + this.#secondSteps * this.#secondStepUnits);
  }

  /** What one image's decoding is worth. */
  get #decodingUnits(): number {
    return DECODING_STEPS * (this.#plan.hires ? this.#secondStepUnits : 1);
  }

  #units(): { readonly done: number; readonly left: number } {
    const sampled = this.#stage === 'sampling' ? this.#samplingDone() : this.#samplingTotal();
    const { images } = this.#plan;
    const inTiles = this.#stage === 'decoding' && this.#tile ? this.#tile.done / this.#tile.total : 0;
    const decoded = Math.min(images, this.#decoded + inTiles);
    if (this.#stage === 'before' || this.#steps[1] === 0) return { done: 0, left: 1 };
    const total = this.#samplingTotal() + images * this.#decodingUnits;
    const done = Math.min(total, sampled + decoded * this.#decodingUnits);
    return { done, left: total - done };
  }

  #secondsLeft(): number | undefined {
    switch (this.#stage) {
      case 'sampling': {
        const pace = this.#sampling.secondsPerUnit;
        return pace === undefined ? undefined : pace * this.#units().left;
      }
      case 'decoding': {
        const pace = this.#decoding.secondsPerUnit;
        if (pace !== undefined) return pace * (this.#plan.images - this.#decoded);
        return this.#ofTiles();
      }
      case 'after':
        return this.#ofTiles();
      case 'before':
        return undefined;
    }
  }

  /** Tiles of one image tell of a whole run only when there is one image. */
  #ofTiles(): number | undefined {
    const pace = this.#tiles.secondsPerUnit;
    if (pace === undefined || !this.#tile || this.#plan.images > 1) return undefined;
    return pace * (this.#tile.total - this.#tile.done);
  }
}
