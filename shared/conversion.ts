/** How a model was made of another one on this machine. */
export interface Conversion {
  /** Name of the model that it was made of. */
  readonly from: string;
  /** What its weights were stored as, by sd-cli's name. */
  readonly type: string;
  /** The version of the engine that did it. */
  readonly engine: string;
  /** Names of the files that were made. */
  readonly files: readonly string[];
}

/** The same for people. */
export function conversionText({ from, type, engine }: Conversion): string {
  return `${from} converted to ${type} by sd-cli ${engine}`;
}

/** What a conversion gave: a new model beside the one that it was made of. */
export interface ConversionResult {
  /** Name of the new model. */
  readonly model: string;
  /** Name of the model that it was made of. */
  readonly from: string;
  /** What it was converted to, by sd-cli's name. */
  readonly type: string;
  /** Names of the files that were written anew. */
  readonly converted: readonly string[];
  /** Of the new model. */
  readonly bytes: number;
  /** Of the model that it was made of. */
  readonly originalBytes: number;
  /** Things the user should know although the model is there, one sentence each. */
  readonly warnings: readonly string[];
  readonly milliseconds: number;
}
