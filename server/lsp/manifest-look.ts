import { setImmediate } from 'node:timers/promises';
import type { ManifestDiagnostic } from '../manifest/diagnostic';
import { type DiagnoseOptions, diagnosing } from '../manifest/diagnostics';
import type { Dialect } from '../manifest/dialect';
import type { ManifestDocument } from '../manifest/document';
import type { EntryMemory } from '../manifest/entry-memory';

/** How long findings are worked out before other requests get their turn, in milliseconds. */
const SLICE_MS = 8;

/** One version of a manifest, and what its text alone shows. */
export class ManifestLook {
  private readonly work: ReturnType<typeof diagnosing>;
  private found: readonly ManifestDiagnostic[] | undefined;

  constructor(
    readonly parsed: ManifestDocument,
    readonly dialect: Dialect,
    options: DiagnoseOptions,
    /** Of earlier versions in the same dialect. */
    readonly memory: EntryMemory
  ) {
    this.work = diagnosing(parsed, dialect, options, memory);
  }

  /** The findings; what was not worked out yet is worked out at once. */
  get diagnostics(): readonly ManifestDiagnostic[] {
    for (;;) {
      if (this.found) return this.found;
      this.advance();
    }
  }

  /**
   * Works the findings out in slices, so that nobody waits for those of a large manifest.
   * @param isWanted asked after every slice
   * @returns the findings; undefined when nobody wants them any more
   */
  async diagnose(isWanted: () => boolean): Promise<readonly ManifestDiagnostic[] | undefined> {
    let sliceEnds = performance.now() + SLICE_MS;
    while (!this.found) {
      this.advance();
      if (performance.now() < sliceEnds) continue;
      await setImmediate();
      if (!isWanted()) return undefined;
      sliceEnds = performance.now() + SLICE_MS;
    }
    return this.found;
  }

  private advance(): void {
    const { done, value } = this.work.next();
    if (done) this.found = value;
  }
}
