import type { FailureData } from './failure';
import type { Role } from './roles';

/** What a publication consists of: the files of a model, or the images that a batch made. */
export const PUBLISHED_KINDS = ['model', 'results'] as const;

export type PublishedKind = (typeof PUBLISHED_KINDS)[number];

/** What a team store has under a name, as lists show it. */
export interface Publication {
  readonly name: string;
  readonly holds: PublishedKind;
  /** Combined hash of its files: 64 hexadecimal digits, equal for equal content. */
  readonly combined: string;
  /** Of all files together. */
  readonly bytes: number;
  readonly files: number;
  readonly publishedAtUnixMs: number;
  /** Whether exactly this content is installed under this name. */
  readonly isInstalled: boolean;
}

/** A team store and what it says it holds; browsing shows this, and nothing is decided by it. */
export interface StoreListing {
  /** As the settings name it, or the address that was given. */
  readonly name: string;
  readonly url: string;
  readonly publications: readonly Publication[];
  /** Why the store could not be asked. */
  readonly failure?: FailureData;
}

/** A model and the store that it is published to or fetched from: a name of the settings, or an address. */
export interface PublishParams {
  readonly name: string;
  readonly store: string;
}

export interface FetchPublicationParams extends PublishParams {
  /** Whether a model of this name that comes from elsewhere is replaced; else the fetch is refused with `model-exists`. */
  readonly replace?: boolean | undefined;
}

export interface PublishResult {
  /** The name that it is published under. */
  readonly model: string;
  /** The store, for people. */
  readonly store: string;
  readonly combined: string;
  /** Of all files together. */
  readonly bytes: number;
  readonly uploadedBytes: number;
  /** Bytes that the store copied from what it had. */
  readonly copiedBytes: number;
  /** Whether the store held exactly this already, so that nothing changed. */
  readonly isUnchanged: boolean;
}

/** How far a publishing is, at most ten times a second. */
export interface PublishProgress {
  readonly model: string;
  readonly store: string;
  /** `checking`: the installed files are read; `committing`: everything is there, and is made the publication. */
  readonly phase: 'checking' | 'uploading' | 'copying' | 'committing';
  /** Bytes that are done with in this phase; uploading and copying count together. */
  readonly bytes: number;
  readonly total: number;
}

/** What a fetch came to. */
export interface FetchResult {
  readonly model: string;
  readonly bytes: number;
  /** Bytes that came over the network. */
  readonly transferredBytes: number;
  /** Roles that nobody wrote down, as the headers of the files tell them; to be checked by a person. */
  readonly likelyRoles: readonly { readonly path: string; readonly role: Role }[];
}

export interface UnpublishResult {
  readonly model: string;
  /** The store, for people. */
  readonly store: string;
  /** Whether there was a publication. */
  readonly wasPublished: boolean;
  /** Objects that were removed. */
  readonly objects: number;
}
