import type { EngineEvent } from './output';
import type { EngineProgram } from './program';
import { type Sighting, SYMPTOMS, type Symptom, WARNINGS } from './symptoms';

/** The most lines of the engine that a failure carries. */
const LAST_LINES = 20;

/** The longest of these lines, in characters. */
const LONGEST_LINE = 500;

/** The most warnings that are worth reading. */
const MOST_WARNINGS = 20;

/** In how many lines symptoms are looked for: ten times what a talkative run writes, so that a flood costs nothing. */
const MOST_LOOKED_AT = 20_000;

/** The most images of a batch whose seeds are kept. */
const MOST_SEEDS = 10_000;

/** In pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** What is remembered of a run; it stays small however much the engine writes. */
export class RunRecord {
  readonly #lastLines: string[] = [];
  readonly #sightings = new Map<Symptom, Sighting>();
  readonly #warnings = new Set<string>();
  readonly #seeds = new Map<number, number>();
  readonly #unsaved = new Set<number>();
  #lookedAt = 0;
  #size: ImageSize | undefined;
  #summary: { readonly saved: number; readonly images: number } | undefined;

  constructor(readonly program: EngineProgram = 'sd-cli') {}

  /** Takes the next event of the engine. */
  observe(event: EngineEvent): void {
    switch (event.type) {
      case 'log':
        this.#take(event.text);
        if (event.level !== 'debug') this.#warn(event.text);
        return;
      case 'text':
        this.#take(event.text);
        return;
      case 'image':
        if (this.#seeds.size < MOST_SEEDS) this.#seeds.set(event.image, event.seed);
        return;
      case 'saved':
        if (!event.succeeded && this.#unsaved.size < MOST_SEEDS) this.#unsaved.add(event.index);
        return;
      case 'size':
        this.#size = { width: event.width, height: event.height };
        return;
      case 'summary':
        this.#summary = { saved: event.saved, images: event.images };
        return;
      case 'bar':
      case 'phase':
      case 'second-pass':
      case 'decoded':
      case 'version':
        return;
    }
  }

  /** The engine's last lines, oldest first, for logs. */
  get lastLines(): readonly string[] {
    return this.#lastLines;
  }

  /** What went wrong according to the engine, the most telling first. */
  get sightings(): readonly Sighting[] {
    // What ended the run comes last, however much came before.
    for (const line of this.#lastLines) this.#lookFor(line);
    return SYMPTOMS.flatMap((symptom) => this.#sightings.get(symptom) ?? []);
  }

  /** What the user should know although there are images, one sentence each. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** How many images of how many the engine says it saved; undefined: it never came so far. */
  get summary(): { readonly saved: number; readonly images: number } | undefined {
    return this.#summary;
  }

  /** Which images the engine says it could not write, 0-based. */
  get unsaved(): ReadonlySet<number> {
    return this.#unsaved;
  }

  /** The size that the engine says its images have in the end; undefined: it did not tell. */
  get size(): ImageSize | undefined {
    return this.#size;
  }

  /** The seed of an image of the batch, 1-based; undefined when the engine did not tell. */
  seedOf(image: number): number | undefined {
    return this.#seeds.get(image);
  }

  #take(text: string): void {
    this.#lookedAt += 1;
    if (this.#lookedAt <= MOST_LOOKED_AT) this.#lookFor(text);
    this.#lastLines.push(text.slice(0, LONGEST_LINE));
    if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
  }

  #lookFor(text: string): void {
    for (const symptom of SYMPTOMS) {
      if (this.#sightings.has(symptom)) continue;
      const match = symptom.pattern.exec(text);
      if (match) this.#sightings.set(symptom, symptom.explain(match, this.program));
    }
  }

  #warn(text: string): void {
    if (this.#warnings.size === MOST_WARNINGS) return;
    for (const { pattern, explain } of WARNINGS) {
      const match = pattern.exec(text);
      if (match) this.#warnings.add(explain(match));
    }
  }
}
