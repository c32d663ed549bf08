import { Failure, messageOf } from '../../shared/failure';
import type { Blob } from '../store/blob-store';
import type { AdoptionCandidate } from './local/adoption-place';
import { fileSource } from './local/file-source';
import type { PlannedFile } from './pull-plan';
import { openPartial, type ReceiveTools, receiveInto } from './receive-file';

/** What came of adopting a content. */
export type Adoption =
  | { readonly kind: 'adopted'; readonly blob: Blob }
  /** No candidate holds it; so many bytes of a damaged copy are right and stay as a partial. */
  | { readonly kind: 'not-found'; readonly keptBytes: number };

/**
 * Brings a content into the store from a file of this machine that holds the same bytes, if one of the candidates
 * does. Those files are only read: blocks are shared where the file system can, else copied, and it is the copy that
 * has to have the digest. A candidate that is wrong, changes or cannot be read is passed over.
 * @throws Failure when the work was cancelled or the disk is full
 */
export async function adoptFile(file: PlannedFile, tools: ReceiveTools): Promise<Adoption> {
  const { log } = tools;
  let keptBytes = 0;
  for (const candidate of file.candidates) {
    const { path, bytes } = candidate;
    try {
      const adoption = await adoptFrom(candidate, file, tools);
      if (adoption.kind === 'adopted') {
        log.info('done adoption', { path, bytes });
        return adoption;
      }
      keptBytes = Math.max(keptBytes, adoption.keptBytes);
      log.info('candidate passed over', { path, reason: 'other content' });
    } catch (error) {
      if (error instanceof Failure && (error.code === 'cancelled' || error.code === 'disk-full')) throw error;
      log.warn('candidate passed over', { path, reason: messageOf(error) });
    }
  }
  return { kind: 'not-found', keptBytes };
}

async function adoptFrom(candidate: AdoptionCandidate, file: PlannedFile, tools: ReceiveTools): Promise<Adoption> {
  const { hasher, signal, onChecked } = tools;
  const copy = { ...file, source: fileSource(candidate.path) };
  const partial = await openPartial(copy, tools, { copies: false });
  // A mere guess is not worth a copy, and wrong bytes must not spoil what was received before. Else hashing the copy
  // is enough, which is done in any case.
  const provesFirst = !partial.isComplete && (partial.bytes > 0 || !candidate.isNamedByDigest);
  if (provesFirst) {
    let isRight = false;
    try {
      const onProgress = (checked: number): void => onChecked(checked, candidate.bytes);
      isRight = (await hasher.hash(candidate.path, { signal, onProgress })).digest === file.digest;
    } finally {
      if (!isRight) await partial.release();
    }
    if (!isRight) return { kind: 'not-found', keptBytes: 0 };
  }
  const received = await receiveInto(partial, copy, tools);
  if (received.kind === 'complete') return { kind: 'adopted', blob: received.blob };
  return { kind: 'not-found', keptBytes: received.keptBytes };
}
