import { type Digest, parseDigest } from '../../shared/digest';
import { HASH_PARTS_TASK, type HashPartsTask } from './workers/hash-parts-task';
import type { TaskOptions, WorkerPool } from './workers/worker-pool';

/** A part of a file; `end` is the byte behind the last one. */
export interface FilePart {
  readonly start: number;
  readonly end: number;
}

/** Hashes parts of files from disk in worker threads. */
export interface PartHasher {
  /**
   * The digest of each part, null where the file ends before the part does. Progress is in bytes hashed.
   * @throws system errors, `Failure('cancelled')`
   */
  hashParts(path: string, parts: readonly FilePart[], options?: TaskOptions): Promise<readonly (Digest | null)[]>;
}

/** The part hasher of a server or command line: tasks of the pool. */
export function createPartHasher(pool: WorkerPool): PartHasher {
  return {
    async hashParts(path, parts, options) {
      const input = { path, parts: parts.map(({ start, end }) => ({ start, end })) };
      const digests = await pool.start<HashPartsTask>(HASH_PARTS_TASK, input, options).result;
      return digests.map((digest) => (digest === null ? null : (parseDigest(digest) ?? null)));
    }
  };
}
