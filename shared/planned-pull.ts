/** One file as a plan sees it. */
export interface PlannedPullFile {
  readonly path: string;
  /** Size in bytes; null when nobody tells. */
  readonly bytes: number | null;
  /**
   * `stored`: it is in the cache. `adoptable`: another program of this machine seems to have it, so that it is
   * checked and copied. `local`: its source lies on this machine, so that it is copied. `partial`: some of it was
   * received before. `absent`: all of it has to be transferred.
   */
  readonly presence: 'stored' | 'adoptable' | 'local' | 'partial' | 'absent';
  /** Bytes that need not be transferred. */
  readonly heldBytes: number;
  /** Host and path, or a local path; never a query. */
  readonly source: string;
}

/** What pulling a model would do, before its first byte. */
export interface PlannedPull {
  readonly model: string;
  readonly files: readonly PlannedPullFile[];
  /** Bytes of all files; null while the size of one is unknown. */
  readonly totalBytes: number | null;
  /** Bytes to transfer, as far as sizes are known. */
  readonly missingBytes: number;
  /** Bytes to write, as far as sizes are known: what is copied on this machine counts, too. */
  readonly neededBytes: number;
  /** Free space on the disk of the cache; null when the platform does not tell. */
  readonly freeBytes: number | null;
  /** Whether there is room; a pull that does not fit is refused before its first byte. */
  readonly fits: boolean;
  /** Folder that the model is installed into. */
  readonly folder: string;
}
