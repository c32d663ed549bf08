import { rm } from 'node:fs/promises';
import { Failure, type FailureCode } from '../../shared/failure';
import type { FileHash } from '../platform/hasher';
import { fileFailure, isErrorWithCode } from '../platform/system-error';
import type { Blob, BlobStore } from '../store/blob-store';
import type { CacheLayout } from '../store/cache-layout';
import type { ExpectedFile, TransferTools } from './expected-file';
import { PartialDownload } from './partial/partial-download';
import { nowOrLater, partialKey } from './partial/partial-folders';
import { keepSoundPieces, type RepairTools } from './repair';
import { goOnFromElsewhere } from './transfer/go-on-elsewhere';
import { isResumable, transferFile } from './transfer/transfer-file';

export interface FetchTools extends Omit<TransferTools, 'onHashed'>, RepairTools {
  readonly layout: CacheLayout;
  /** Bytes that came from the source before the transfer was interrupted. */
  readonly onInterrupted: (received: number) => void;
}

export interface ReceiveTools extends FetchTools {
  readonly blobs: BlobStore;
}

export interface ReceiveOptions {
  /** Whether copies of what others received may be gone on with; not after one of them proved wrong. */
  readonly copies: boolean;
}

/** What came of receiving a file. */
export type Received = ({ readonly blob: Blob } & Completed) | OtherContent;

interface Completed {
  readonly kind: 'complete';
  /** Bytes that came from the source now. */
  readonly receivedBytes: number;
  readonly wasResumed: boolean;
}

/** The source has another content than the digest promises; nothing is left of it but pieces that are right. */
interface OtherContent {
  readonly kind: 'other-content';
  /** The SHA-256 of what came; where the source told only the git object, its SHA-1. */
  readonly actual: string;
  readonly receivedBytes: number;
  /** Bytes of the pieces that are right and kept. */
  readonly keptBytes: number;
}

/** A complete file beside the store that is its receiver's to move away. */
export interface FetchedFile extends Completed {
  readonly path: string;
  /** Of what lies on disk. */
  readonly hash: FileHash;
  /** Removes what is left of it. */
  readonly discard: () => Promise<void>;
}

/** Names the partial of a file: by its content where a digest tells it. */
export function contentKey({ digest, source }: ExpectedFile): string {
  return partialKey(digest ?? source.identity);
}

/**
 * Brings a file's bytes from its source into the store, going on with what was received before.
 * @throws Failure; what was received before a cancel or a passing fault stays as a partial
 */
export async function receiveFile(file: ExpectedFile, tools: ReceiveTools, options: ReceiveOptions): Promise<Received> {
  const partial = await openPartial(file, tools, options);
  const heldBytes = partial.bytes;
  try {
    return await receiveInto(partial, file, tools);
  } catch (error) {
    if (!file.source.isLocal) tools.onInterrupted(partial.bytes - (partial.wasRestarted ? 0 : heldBytes));
    throw error;
  }
}

/** A partial to receive a file into. It is complete at once when its source can share its blocks. */
export async function openPartial(
  file: ExpectedFile,
  tools: FetchTools,
  { copies }: ReceiveOptions
): Promise<PartialDownload> {
  const { layout, clock } = tools;
  const key = contentKey(file);
  const partial = await PartialDownload.claim(layout.partials, key, clock.elapsed);
  try {
    if (partial.bytes === 0) await partial.beginAsClone(file.source);
    if (copies) await goOnFromElsewhere(partial, file, { ...tools, partials: layout.partials, key });
    return partial;
  } catch (error) {
    await partial.remove();
    throw error;
  }
}

/** Receives what a partial lacks; as {@link receiveFile}. */
export async function receiveInto(
  partial: PartialDownload,
  file: ExpectedFile,
  tools: ReceiveTools
): Promise<Received> {
  const completed = await completePartial(partial, file, tools);
  if (completed.kind === 'other-content') return completed;
  const { kind, hash, receivedBytes, wasResumed } = completed;
  const blob = await commitOrLetGo(partial, hash, tools.blobs);
  await nowOrLater(() => rm(partial.folder, { recursive: true, force: true }));
  return { kind, blob, receivedBytes, wasResumed };
}

/** Brings a file's bytes to disk beside the store; as {@link receiveFile}. */
export async function fetchBesideStore(file: ExpectedFile, tools: FetchTools): Promise<FetchedFile | OtherContent> {
  const partial = await openPartial(file, tools, { copies: true });
  const completed = await completePartial(partial, file, tools);
  if (completed.kind === 'other-content') return completed;
  const discard = (): Promise<void> => rm(partial.folder, { recursive: true, force: true });
  return { ...completed, path: partial.dataPath, discard };
}

async function completePartial(
  partial: PartialDownload,
  file: ExpectedFile,
  tools: FetchTools
): Promise<(Completed & { readonly hash: FileHash }) | OtherContent> {
  const { bytes: heldBytes } = partial;
  let hash: FileHash;
  try {
    hash = await transferFile(file, partial, { ...tools, onHashed: (bytes) => showHashing(partial, bytes, tools) });
    await partial.requireTaken();
  } catch (error) {
    const isAsBefore = !partial.wasRestarted && partial.bytes === heldBytes;
    await keepOrRemove(file, partial, error, isAsBefore);
    throw error;
  }
  const resumedFrom = partial.wasRestarted ? 0 : heldBytes;
  const actual = await wrongDigest(partial, file, hash, tools);
  if (actual !== undefined) {
    const keptBytes = await keepSound(partial, file, tools);
    return { kind: 'other-content', actual, receivedBytes: hash.bytes - resumedFrom, keptBytes };
  }
  await partial.close();
  return { kind: 'complete', hash, receivedBytes: hash.bytes - resumedFrom, wasResumed: resumedFrom > 0 };
}

/** The digest of what lies on disk when it is not the one that was promised; else undefined. */
async function wrongDigest(
  partial: PartialDownload,
  file: ExpectedFile,
  hash: FileHash,
  { hasher, signal }: FetchTools
): Promise<string | undefined> {
  const { digest, gitSha1 } = file;
  if (digest !== null) return hash.digest === digest ? undefined : hash.digest;
  if (!gitSha1) return undefined;
  try {
    const { sha1 } = await hasher.hashForGit(partial.dataPath, { signal });
    return sha1 === gitSha1 ? undefined : sha1;
  } catch (error) {
    await keepOrRemove(file, partial, error);
    throw error;
  }
}

/** @returns how many bytes of a content with the wrong digest stay as a partial */
async function keepSound(partial: PartialDownload, file: ExpectedFile, tools: FetchTools): Promise<number> {
  let isKept = false;
  try {
    isKept = await keepSoundPieces(partial, file, tools);
  } finally {
    await (isKept ? partial.release() : partial.remove());
  }
  return isKept ? partial.bytes : 0;
}

/** What the store cannot take now is gone on with next time, by whichever process is first. */
async function commitOrLetGo(partial: PartialDownload, hash: FileHash, blobs: BlobStore): Promise<Blob> {
  try {
    return await blobs.commit(partial.dataPath, hash);
  } catch (error) {
    // Should this fail too, it is free when this process ends; what is to be told is the first fault.
    await partial.letGo().catch(() => undefined);
    throw error;
  }
}

/** As long as bytes arrive, those are what is shown. */
function showHashing(partial: PartialDownload, hashedBytes: number, { onChecked }: FetchTools): void {
  if (partial.isComplete) onChecked(hashedBytes, partial.bytes);
}

/**
 * Failures that may say something against bytes that came meanwhile: the source sent more than the content has, or
 * changed. All others are refusals, of which nothing is written.
 */
const DOUBTFUL: ReadonlySet<FailureCode> = new Set(['size-mismatch', 'digest-mismatch', 'file-access']);

/** Faults of the system that pass, or can be mended, without harm to what was written. */
const HARMLESS = ['EMFILE', 'ENFILE', 'EACCES', 'EPERM', 'EROFS', 'EFBIG', 'EBUSY'] as const;

/**
 * What is noted in the journal is kept when it can be gone on with, and when nothing says that it is wrong. Of what the
 * disk did not take that is what it took before.
 * @param isAsBefore whether nothing was written: then only a fault of the partial's own files speaks against it
 */
async function keepOrRemove(
  file: ExpectedFile,
  partial: PartialDownload,
  error: unknown,
  isAsBefore = false
): Promise<void> {
  const isSound = partial.couldNotSync || saysNothingAgainst(error, isAsBefore);
  await (isSound && isResumable(file, partial) ? partial.release() : partial.remove());
}

function saysNothingAgainst(error: unknown, isAsBefore: boolean): boolean {
  if (error instanceof Failure && (isAsBefore || !DOUBTFUL.has(error.code))) return true;
  const failure = fileFailure(error, '', '');
  return failure instanceof Failure && (failure.code === 'disk-full' || isErrorWithCode(failure.cause, ...HARMLESS));
}
