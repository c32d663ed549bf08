import type { Digest } from '../../../shared/digest';

/** A content that is looked for on this machine. */
export interface SoughtContent {
  readonly digest: Digest;
  /** Size in bytes, or null when nobody knows it. */
  readonly bytes: number | null;
  readonly filename: string;
}

/** A file of this machine that may hold a content; only hashing it tells. */
export interface AdoptionCandidate {
  /** Absolute path of a regular file. */
  readonly path: string;
  /** Its size in bytes when it was found. */
  readonly bytes: number;
  /** Whether whoever put it there named it by the digest: then it holds the content, or a damaged copy of it. */
  readonly isNamedByDigest: boolean;
}

/** Candidates by the content that they may hold, the likeliest first. */
export type AdoptionCandidates = ReadonlyMap<Digest, readonly AdoptionCandidate[]>;

/** A place where other programs, or people, keep files. It is only read, and no name in it is trusted. */
export interface AdoptionPlace {
  /**
   * Looks for several contents at once, so that a folder is walked once. What cannot be read is passed over.
   * @throws Failure('cancelled')
   */
  candidates(sought: readonly SoughtContent[], signal: AbortSignal): Promise<AdoptionCandidates>;
}

/** Looks in one place after the other. */
export async function findCandidates(
  places: readonly AdoptionPlace[],
  sought: readonly SoughtContent[],
  signal: AbortSignal
): Promise<AdoptionCandidates> {
  const found = new Map<Digest, readonly AdoptionCandidate[]>();
  if (sought.length === 0) return found;
  for (const place of places) {
    for (const [digest, candidates] of await place.candidates(sought, signal)) {
      found.set(digest, [...(found.get(digest) ?? []), ...candidates]);
    }
  }
  return found;
}
