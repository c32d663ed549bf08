/** A path of values in a batch: `items`, 3, `seed`. */
export type ValuePath = readonly PropertyKey[];

/** What a text of either format says, before anybody knows whether it makes sense. */
export interface RawBatch {
  readonly name?: unknown;
  /** What the schema of a definition reads. */
  readonly definition: unknown;
  /** The offset of a value in the text, or of the nearest one around it; with `key`, that of its name. */
  offsetOf(path: ValuePath, key?: 'key'): number;
}

/** A mistake in the text of a batch, at an offset. */
export class BatchMistake extends Error {
  constructor(
    message: string,
    readonly start: number,
    readonly nextStep?: string
  ) {
    super(message);
  }
}
