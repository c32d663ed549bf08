import type { Verdict } from './model';

/** A part of the cache that is not as it should be; everything else is listed all the same. */
export interface HubCacheProblem {
  /** Relative to the cache, with `/`. */
  readonly path: string;
  /** What is wrong, one sentence. */
  readonly reason: string;
}

/** A file of a cached revision. */
export interface HubCacheFile {
  /** Path in the repository, with `/`. */
  readonly path: string;
  /** Absolute path of the pointer in the snapshot. */
  readonly location: string;
  /** Size in bytes; absent when nothing lies behind the pointer. */
  readonly bytes?: number;
  /** Why there is nothing to read, one sentence. */
  readonly problem?: string;
}

/** One revision of a cached repository. */
export interface HubCacheRevision {
  readonly commit: string;
  /** Branches, tags and pull requests that lead here: `main`, `refs/pr/1`. */
  readonly refs: readonly string[];
  readonly folder: string;
  /** Bytes of its files, each counted once; other revisions may use the same. */
  readonly bytes: number;
  readonly modifiedAtUnixMs: number;
  readonly files: readonly HubCacheFile[];
}

/** A file in the cache that no revision leads to. */
export interface HubCacheRemnant {
  /** Relative to the cache, with `/`. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAtUnixMs: number;
}

/** One cached repository. */
export interface HubCacheRepository {
  /** How people name it: `hf:owner/repo`, `hf:datasets/owner/repo`, `hf:spaces/owner/repo`. */
  readonly reference: string;
  readonly kind: 'model' | 'dataset' | 'space';
  /** `owner/repo`, or `repo` alone for the hub's oldest models. */
  readonly name: string;
  readonly folder: string;
  /** Its page on the hub. */
  readonly webAddress: string;
  /** Bytes on disk, each content counted once, remnants included. */
  readonly bytes: number;
  /** When one of its files was last read or written, as far as the disk notes that; 0 without any file. */
  readonly lastUsedAtUnixMs: number;
  readonly revisions: readonly HubCacheRevision[];
  /** Downloads that were never finished. */
  readonly incomplete: readonly HubCacheRemnant[];
  /** Contents that no revision leads to any more. */
  readonly unreferenced: readonly HubCacheRemnant[];
  readonly problems: readonly HubCacheProblem[];
}

/** The cache that the hub's own tools keep. */
export interface HubCacheListing {
  /** Absolute path; exists or not. */
  readonly folder: string;
  readonly exists: boolean;
  /** Bytes on disk, each content counted once, whoever shares it. */
  readonly bytes: number;
  /** Sorted by reference. */
  readonly repositories: readonly HubCacheRepository[];
  /** Contents of the store that repositories share, used by none. */
  readonly unreferenced: readonly HubCacheRemnant[];
  readonly problems: readonly HubCacheProblem[];
}

/** The verdict on one file of the cache. */
export interface HubCacheVerdict {
  readonly commit: string;
  /** Path in the repository, with `/`. */
  readonly path: string;
  readonly verdict: Verdict;
  /** What is wrong or why nothing can be proved; absent for verified files. */
  readonly reason?: string;
  /** When the bytes were read, in ms since the epoch, if not now: the file has not changed since. */
  readonly provedAt?: number;
}

/** What the verification of one cached repository found; it changes nothing on disk. */
export interface HubCacheReport {
  readonly reference: string;
  /** Whether nothing is corrupt. */
  readonly healthy: boolean;
  readonly files: readonly HubCacheVerdict[];
  readonly problems: readonly HubCacheProblem[];
  /** Bytes that were read now; those of files that were proved before are not. */
  readonly bytes: number;
  readonly milliseconds: number;
}

/** What became of a corrupt file. */
export interface HubCacheHealedFile {
  readonly commit: string;
  /** Path in the repository, with `/`. */
  readonly path: string;
  /** `kept`: nothing says what it should be. `failed`: it could not be brought; everything is as it was. */
  readonly outcome: 'healed' | 'kept' | 'failed';
  /** Why it was not healed. */
  readonly reason?: string;
}

/** What healing a cached repository did. */
export interface HubCacheHealing {
  readonly reference: string;
  /** Whether nothing corrupt is left. */
  readonly healthy: boolean;
  /** The files that were corrupt. */
  readonly files: readonly HubCacheHealedFile[];
  /** What else there is to know, one sentence each. */
  readonly notes: readonly string[];
  /** Bytes that came over the network. */
  readonly transferredBytes: number;
  readonly milliseconds: number;
}

/** What a deletion from the cache did or, when it was only asked for, would do. */
export interface HubCacheDeletion {
  /** What was deleted; empty for leftovers of all of the cache. */
  readonly reference: string;
  readonly deleted: boolean;
  readonly freedBytes: number;
  /** Bytes that stay because others use them. */
  readonly keptBytes: number;
  /** Bytes that stay because they changed so lately that another program may be downloading them. */
  readonly arrivingBytes: number;
}
