import type { Digest } from '../../shared/digest';
import { Failure } from '../../shared/failure';
import type { TransferLimits } from '../../shared/transfer-limits';
import type { Clock } from '../platform/clock';
import type { Hasher } from '../platform/hasher';
import type { Log } from '../platform/log';
import type { FreeBytes } from './disk-room';
import type { PieceDigests } from './partial/pieces';
import type { Opening, Source } from './source';
import type { TransferTuning } from './transfer-tuning';

/** What is known of a file before its first byte. */
export interface ExpectedFile {
  readonly source: Source;
  /** null: nobody declared one; what arrives is then taken as it is. */
  readonly digest: Digest | null;
  /** Exact size in bytes, or null. */
  readonly bytes: number | null;
  /** SHA-1 of the git object of the content, where the source tells it; it counts when there is no digest. */
  readonly gitSha1?: string | null | undefined;
  /** Digests of the pieces of the content: with them only what is damaged is fetched again. */
  readonly pieces?: PieceDigests | undefined;
}

/** One file of a model to be pulled. */
export interface WantedFile extends ExpectedFile {
  readonly filename: string;
  /**
   * Absolute paths of files of this machine that hold at least some of the content, for example the installed file that
   * was found corrupt, or that of an earlier version. With `digest`, `bytes` and `pieces` the pieces that are right are
   * taken over and only the others are transferred; without these three, seeds are ignored. They are only read, and
   * those that do not exist are passed over.
   */
  readonly seeds?: readonly string[] | undefined;
}

export interface TransferTools {
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly log: Log;
  readonly tuning: TransferTuning;
  /** What the user allows at the moment. */
  readonly limits: Pick<TransferLimits, 'connections'>;
  readonly freeBytes: FreeBytes;
  readonly signal: AbortSignal;
  /** Bytes of the file on disk and its size, as far as it is known. */
  readonly onBytes: (received: number, total: number | null) => void;
  /** Bytes that were hashed from disk, some way behind those that are there. */
  readonly onHashed: (hashed: number) => void;
}

/**
 * The size of a content that is being opened.
 * @returns null when neither the manifest nor the source tells
 * @throws Failure when they disagree, or when the end of the body could not be told
 */
export function openedTotal({ bytes, digest, source }: ExpectedFile, opening: Opening): number | null {
  const { label: subject } = source;
  if (bytes !== null && opening.total !== null && opening.total !== bytes) {
    throw new Failure('size-mismatch', `${subject} has ${opening.total} bytes, the manifest says ${bytes}.`, {
      subject,
      nextStep: 'Check size_bytes and the address in the manifest.'
    });
  }
  if (opening.endsByClosing && digest === null && bytes === null) {
    throw new Failure('bad-response', `${subject} is sent without saying how long it is.`, {
      subject,
      nextStep: 'Add sha256 or size_bytes to the manifest, so that the end can be told.'
    });
  }
  return opening.total ?? bytes;
}

/** @throws Failure when nothing arrived although nobody promised that there is nothing */
export function refuseEmpty({ bytes, digest, gitSha1, source }: ExpectedFile, receivedBytes: number): void {
  if (receivedBytes > 0 || bytes !== null || digest !== null || gitSha1) return;
  const { label: subject } = source;
  throw new Failure('bad-response', `${subject} is empty.`, {
    subject,
    nextStep: 'Check the address; if the file is meant to be empty, say so with "size_bytes": 0 in the manifest.'
  });
}
