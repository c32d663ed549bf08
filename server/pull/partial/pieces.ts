import type { Digest } from '../../../shared/digest';
import type { ByteRange } from './byte-ranges';

/** Digests of the pieces of a content, as a manifest lists them. */
export interface PieceDigests {
  /** Bytes of each piece but the last, which may be shorter. */
  readonly size: number;
  readonly sha256: readonly Digest[];
}

/** One piece of a content and how to know that it is right. */
export interface Piece extends ByteRange {
  readonly digest: Digest;
}

/**
 * The pieces of a content; none when it has no list of them, when its size is unknown, or when the list does not add
 * up to it.
 * @param bytes exact size of the content
 */
export function piecesOf(bytes: number | null, listed: PieceDigests | undefined): readonly Piece[] {
  if (!listed || bytes === null || Math.ceil(bytes / listed.size) !== listed.sha256.length) return [];
  return listed.sha256.map((digest, index) => ({
    start: index * listed.size,
    end: Math.min((index + 1) * listed.size, bytes),
    digest
  }));
}
