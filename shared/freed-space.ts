/** What a collection freed, or with `dryRun` would free. */
export interface FreedSpace {
  readonly dryRun: boolean;
  /** Stored contents that no installed model uses, or of which one has a copy that is enough. */
  readonly contents: number;
  /** Unfinished downloads that nobody went on with for as long as they are kept. */
  readonly partials: number;
  /** What crashes left of installations and removals. */
  readonly leftovers: number;
  /** Of all of that, as far as it is known. */
  readonly bytes: number;
  /** Bytes of other unfinished downloads; they stay, and the next pull goes on with them. */
  readonly resumableBytes: number;
  /** Whether nothing was done because a pull is under way whose contents nobody can name yet. */
  readonly isPutOff: boolean;
}
