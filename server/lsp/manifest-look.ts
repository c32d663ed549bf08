import type { ManifestDiagnostic } from '../manifest/diagnostic';
import { type DiagnoseOptions, diagnosing } from '../manifest/diagnostics';
import type { EntryMemory } from '../manifest/entry-memory';
import type { Dialect } from '../manifest/recognition/dialect';
import type { ManifestDocument } from '../manifest/text/document';
import { SlicedWork } from '../platform/sliced-work';

/** One version of a manifest, and what its text alone shows. */
export class ManifestLook {
  private readonly work: SlicedWork<readonly ManifestDiagnostic[]>;

  constructor(
    readonly parsed: ManifestDocument,
    readonly dialect: Dialect,
    options: DiagnoseOptions,
    /** Of earlier versions in the same dialect. */
    readonly memory: EntryMemory
  ) {
    this.work = new SlicedWork(diagnosing(parsed, dialect, options, memory));
  }

  /** The findings; what was not worked out yet is worked out at once. */
  get diagnostics(): readonly ManifestDiagnostic[] {
    return this.work.result;
  }

  /**
   * Works the findings out in slices, so that nobody waits for those of a large manifest.
   * @param isWanted asked after every slice
   * @returns the findings; undefined when nobody wants them any more
   */
  async diagnose(isWanted: () => boolean): Promise<readonly ManifestDiagnostic[] | undefined> {
    return (await this.work.inSlices(isWanted))?.value;
  }
}
