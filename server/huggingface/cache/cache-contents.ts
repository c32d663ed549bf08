import { join } from 'node:path';
import type { HubCacheProblem } from '../../../shared/hub-cache';
import type { RepositoryId } from '../repository';
import type { RevisionTree } from '../revision-tree';
import type { FileOnDisk, LinkChain } from './follow-links';

/** A file of a revision: its pointer in the snapshot and what it leads to. */
export interface CachedFile {
  /** Path in the repository, with `/`. */
  readonly path: string;
  /** Absolute path of the pointer. */
  readonly pointer: string;
  readonly chain: LinkChain;
}

/** One revision of a cached repository. */
export interface CachedRevision {
  readonly commit: string;
  readonly folder: string;
  readonly refs: readonly string[];
  readonly modifiedAt: number;
  /** Sorted by path. */
  readonly files: readonly CachedFile[];
  /** What the hub said of its files; absent when nobody noted it. */
  readonly tree?: RevisionTree;
}

/** An entry of a repository's `blobs`. */
export interface CachedBlob {
  readonly name: string;
  readonly path: string;
  readonly chain: LinkChain;
}

/** A branch, tag or pull request as the cache remembers it. */
export interface CachedRef {
  /** `main`, `refs/pr/1`. */
  readonly name: string;
  readonly path: string;
  /** Absent when the file does not name one. */
  readonly commit?: string;
}

/** One cached repository, whatever its state. */
export interface CachedRepository {
  readonly id: RepositoryId;
  readonly places: RepositoryPlaces;
  readonly revisions: readonly CachedRevision[];
  readonly refs: readonly CachedRef[];
  readonly blobs: readonly CachedBlob[];
  /** Downloads that were never finished, or that run now. */
  readonly incomplete: readonly FileOnDisk[];
  readonly problems: readonly HubCacheProblem[];
  /** Whether everything could be read; else nothing can be said to be unused. */
  readonly isWhole: boolean;
}

/** A content of the store that repositories share since huggingface_hub 1.32; its name is no SHA-256. */
export interface SharedBlob {
  readonly file: FileOnDisk;
  /** Who uses it, by absolute paths in `blobs`; absent when that cannot be told, and it must stay. */
  readonly users?: readonly string[];
}

/** Everything in a cache. */
export interface CacheContents {
  /** Absolute path, without links. */
  readonly root: string;
  readonly repositories: readonly CachedRepository[];
  readonly shared: readonly SharedBlob[];
  readonly problems: readonly HubCacheProblem[];
}

/** Where the parts of a cached repository lie. */
export interface RepositoryPlaces {
  readonly folder: string;
  readonly blobs: string;
  readonly refs: string;
  readonly snapshots: string;
  readonly trees: string;
  /** What the hub said does not exist, by commit. */
  readonly absences: string;
}

/** The places of a repository. @param folder absolute path, without links */
export function repositoryPlaces(folder: string): RepositoryPlaces {
  return {
    folder,
    blobs: join(folder, 'blobs'),
    refs: join(folder, 'refs'),
    snapshots: join(folder, 'snapshots'),
    trees: join(folder, 'trees'),
    absences: join(folder, '.no_exist')
  };
}
