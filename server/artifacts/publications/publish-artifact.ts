import type { Digest } from '../../../shared/digest';
import { Failure, messageOf } from '../../../shared/failure';
import type { ModelName } from '../../../shared/model-name';
import type { PublishedKind, PublishProgress } from '../../../shared/publication';
import type { Log } from '../../platform/log';
import type { ObjectStore } from '../object-store';
import type { StoreKey } from '../store-key';
import { combinedHash } from './artifact-files';
import { changePointer } from './change-pointer';
import { type Pointer, type PublishedPointer, readPointer, replacedBy, requireSameKind } from './pointer';
import { refreshIndex } from './publication-index';
import { fileKey, newAttempt } from './publication-keys';
import { readAttemptFiles } from './read-publication';
import {
  type ArtifactContent,
  type Attempt,
  bytesOf,
  removeAttempt,
  type Uploaded,
  uploadAttempt
} from './upload-attempt';

export interface PublishArtifactOptions {
  /** What the files are; a publication of another kind is not replaced. */
  readonly holds: PublishedKind;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Bytes that the store has of the artifact by now. */
  readonly onProgress: (phase: Exclude<PublishProgress['phase'], 'checking'>, bytes: number) => void;
}

/** What a publishing came to. */
export interface PublishedArtifact extends Uploaded {
  readonly combined: Digest;
  /** Whether exactly this was published already, by now at the latest. */
  readonly isUnchanged: boolean;
}

/**
 * Makes files the publication of a name, at once: they are put where nobody looks, then the pointer is changed. Whoever
 * reads meanwhile has what was published before, which stays for seven days.
 * @param contents with the one that says what the others are for
 * @throws Failure; what was published before is then published still
 */
export async function publishArtifact(
  store: ObjectStore,
  name: ModelName,
  contents: readonly ArtifactContent[],
  options: PublishArtifactOptions
): Promise<PublishedArtifact> {
  const { holds, now, signal, onProgress } = options;
  const combined = combinedHash(contents);
  const before = (await readPointer(store, name, signal))?.pointer;
  requireSameKind(store, before, holds);
  // Before anything is sent it shows whether the store can be written to and keeps conditions.
  await refreshIndex(store, [name], signal);
  if (isPublication(before, combined)) return { combined, uploadedBytes: 0, copiedBytes: 0, isUnchanged: true };
  const attempt: Attempt = { name, attempt: newAttempt(now()), contents };
  const uploaded = await upload(store, attempt, before, options);
  onProgress('committing', bytesOf(contents));
  const next = (previous: Pointer | undefined): Pointer | undefined => {
    requireSameKind(store, previous, holds);
    return isPublication(previous, combined)
      ? undefined
      : pointerTo(attempt, { holds, combined, previous, now: now() });
  };
  const { isChanged } = await changePointer(store, name, next, signal);
  if (!isChanged) await removeQuietly(store, attempt, options);
  await noteInIndex(store, name, options);
  return { combined, ...uploaded, isUnchanged: !isChanged };
}

/** @throws Failure; what was put by then is removed, unless the user waits for the end */
async function upload(
  store: ObjectStore,
  attempt: Attempt,
  before: Pointer | undefined,
  options: PublishArtifactOptions
): Promise<Uploaded> {
  const { signal, onProgress } = options;
  try {
    const known = await knownContents(store, attempt.name, before, signal);
    return await uploadAttempt(store, attempt, { known, signal, onProgress });
  } catch (error) {
    if (!signal.aborted) await removeQuietly(store, attempt, options);
    throw error;
  }
}

/** Where the store has contents by what is published under the name: only what its manifest lists is known to be there. */
async function knownContents(
  store: ObjectStore,
  name: ModelName,
  before: Pointer | undefined,
  signal: AbortSignal
): Promise<ReadonlyMap<Digest, StoreKey>> {
  if (before?.kind !== 'published') return new Map();
  const { attempt } = before;
  const files = (await readAttemptFiles(store, name, attempt, signal)) ?? [];
  return new Map(files.map((file) => [file.digest, fileKey(name, attempt, file.name)]));
}

function isPublication(pointer: Pointer | undefined, combined: Digest): boolean {
  return pointer?.kind === 'published' && pointer.combined === combined;
}

interface Pointing extends Pick<PublishedPointer, 'holds' | 'combined'> {
  readonly previous: Pointer | undefined;
  readonly now: number;
}

function pointerTo({ name, attempt, contents }: Attempt, { holds, combined, previous, now }: Pointing): Pointer {
  return {
    kind: 'published',
    version: 1,
    name,
    attempt,
    holds,
    combined,
    bytes: bytesOf(contents),
    files: contents.length,
    published_at_unix_ms: now,
    replaced: replacedBy(previous, now)
  };
}

/** How long somebody waits for a clean-up that a collection would do as well, in ms. */
const CLEAN_UP_MS = 10_000;

/** What nothing names does no harm, and goes with a collection of the store at the latest. */
async function removeQuietly(store: ObjectStore, attempt: Attempt, { log }: PublishArtifactOptions): Promise<void> {
  try {
    await removeAttempt(store, attempt, AbortSignal.timeout(CLEAN_UP_MS));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.warn('attempt not removed from the store', { attempt: attempt.attempt, reason: messageOf(error) });
  }
}

/** The publication is done; that the list does not show it yet is repaired by whoever writes it next. */
async function noteInIndex(
  store: ObjectStore,
  name: ModelName,
  { log, signal }: PublishArtifactOptions
): Promise<void> {
  try {
    await refreshIndex(store, [name], signal);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    log.warn('list of the store not written', { store: store.label, reason: error.message });
  }
}
