import type { EngineEvent } from './output';
import { type Sighting, SYMPTOMS, type Symptom, WARNINGS } from './symptoms';

/** The most lines of the engine that a failure carries. */
const LAST_LINES = 20;

/** The longest of these lines, in characters. */
const LONGEST_LINE = 500;

/** The most warnings that are worth reading. */
const MOST_WARNINGS = 20;

/** The most images of a batch whose seeds are kept. */
const MOST_SEEDS = 10_000;

/** What is remembered of a run; it stays small however much the engine writes. */
export class RunRecord {
  readonly #lastLines: string[] = [];
  readonly #sightings = new Map<Symptom, Sighting>();
  readonly #warnings = new Set<string>();
  readonly #seeds = new Map<number, number>();
  #hasUnsavedImages = false;
  #summary: { readonly saved: number; readonly images: number } | undefined;

  /** Takes the next event of the engine. */
  observe(event: EngineEvent): void {
    switch (event.type) {
      case 'log':
        this.#keepLine(event.text);
        this.#lookFor(event.text);
        if (event.level !== 'debug') this.#warn(event.text);
        return;
      case 'text':
        this.#keepLine(event.text);
        this.#lookFor(event.text);
        return;
      case 'image':
        if (this.#seeds.size < MOST_SEEDS) this.#seeds.set(event.image, event.seed);
        return;
      case 'saved':
        if (!event.succeeded) this.#hasUnsavedImages = true;
        return;
      case 'summary':
        this.#summary = { saved: event.saved, images: event.images };
        return;
      case 'bar':
      case 'phase':
      case 'size':
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

  /** Whether the engine failed to write one of its images. */
  get hasUnsavedImages(): boolean {
    return this.#hasUnsavedImages;
  }

  /** The seed of an image of the batch, 1-based; undefined when the engine did not tell. */
  seedOf(image: number): number | undefined {
    return this.#seeds.get(image);
  }

  #keepLine(text: string): void {
    this.#lastLines.push(text.slice(0, LONGEST_LINE));
    if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
  }

  #lookFor(text: string): void {
    for (const symptom of SYMPTOMS) {
      if (this.#sightings.has(symptom)) continue;
      const match = symptom.pattern.exec(text);
      if (match) this.#sightings.set(symptom, symptom.explain(match));
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
