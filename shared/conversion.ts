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
