import { rm } from 'node:fs/promises';
import type { Digest } from '../../shared/digest';
import { Failure, type FailureCode } from '../../shared/failure';
import type { PullEvent } from '../../shared/job-events';
import type { ModelName } from '../../shared/model-name';
import type { Clock } from '../platform/clock';
import type { FileHash, Hasher } from '../platform/hasher';
import type { Log } from '../platform/log';
import { fileFailure } from '../platform/system-error';
import type { Blob, BlobStore } from '../store/blob-store';
import type { CacheLayout } from '../store/cache-layout';
import type { WantedFile } from './expected-file';
import { PartialDownload } from './partial-download';
import { partialKey } from './partial-folders';
import { type PlannedFile, type PullPlan, planPull, requireSpace } from './pull-plan';
import { PullProgress } from './pull-progress';
import { takeTurn } from './shared-transfer';
import { transferFile } from './transfer-file';
import type { TransferTuning } from './transfer-tuning';

/** A file that lies in the blob store. */
export interface PulledFile {
  readonly filename: string;
  readonly blob: Blob;
  /** `observed`: nobody declared a digest, this is what arrived. */
  readonly digestOrigin: 'declared' | 'observed';
}

export interface PullOutcome {
  readonly files: readonly PulledFile[];
  /** Bytes that came from the sources. */
  readonly transferredBytes: number;
}

export interface PullTools {
  readonly layout: CacheLayout;
  readonly blobs: BlobStore;
  readonly hasher: Hasher;
  readonly clock: Clock;
  readonly log: Log;
  readonly tuning: TransferTuning;
}

export interface PullOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: PullEvent) => void;
}

/** Brings the files of models into the blob store. */
export class PullEngine {
  constructor(private readonly tools: PullTools) {}

  /**
   * Brings every file into the blob store, in order; a content that is there already is not transferred again.
   * What was received before a cancel or a fault stays as a partial and is gone on with next time.
   * @throws Failure
   */
  async pull(model: ModelName, files: readonly WantedFile[], { signal, onEvent }: PullOptions): Promise<PullOutcome> {
    const plan = await this.plan(files, signal);
    const progress = new PullProgress(model, plan.files, this.tools.clock, onEvent);
    progress.started();
    try {
      requireSpace(plan, this.tools.layout, this.tools.log);
      return await this.provideAll(plan.files, progress, signal);
    } finally {
      progress.stop();
    }
  }

  /** Says what a pull of these files would do. @throws Failure when a file is certainly not to be had */
  plan(files: readonly WantedFile[], signal: AbortSignal): Promise<PullPlan> {
    return planPull(files, { layout: this.tools.layout, signal });
  }

  private async provideAll(
    files: readonly PlannedFile[],
    progress: PullProgress,
    signal: AbortSignal
  ): Promise<PullOutcome> {
    const pulled: PulledFile[] = [];
    let transferredBytes = 0;
    for (const file of files) {
      progress.fileStarted(file);
      const { blob, receivedBytes, origin } = await this.provide(file, progress, signal);
      transferredBytes += receivedBytes;
      progress.fileCompleted(file, blob.bytes, origin);
      pulled.push({ filename: file.filename, blob, digestOrigin: file.digest === null ? 'observed' : 'declared' });
    }
    return { files: pulled, transferredBytes };
  }

  /**
   * Waits for its turn on a content that another process is transferring, so that no byte comes twice; what lies in
   * the store by then is not transferred.
   */
  private async provide(file: PlannedFile, progress: PullProgress, signal: AbortSignal): Promise<Provided> {
    const { layout, clock, blobs } = this.tools;
    const { digest } = file;
    if (digest === null) return this.fetch(file, progress, signal);
    const onBytes = (received: number): void => progress.received(file, received, file.likelyBytes);
    const turn = { partials: layout.partials, key: keyOf(file), clock, signal, onBytes };
    const present = await blobs.findProved(digest, signal);
    if (present) return { blob: present, receivedBytes: 0, origin: 'stored' };
    const claim = await takeTurn(turn);
    try {
      const arrived = await blobs.findProved(digest, signal);
      if (arrived) return { blob: arrived, receivedBytes: 0, origin: 'stored' };
      return await this.fetch(file, progress, signal);
    } finally {
      await claim?.release();
    }
  }

  private async fetch(file: PlannedFile, progress: PullProgress, signal: AbortSignal): Promise<Provided> {
    const { log, clock } = this.tools;
    const startedAt = clock.now();
    log.info('starting transfer', { source: file.source.label, bytes: file.bytes });
    try {
      const provided = await this.fetchVerified(file, progress, signal);
      const { bytes } = provided.blob;
      log.info('done transfer', { source: file.source.label, bytes, ms: clock.now() - startedAt });
      return provided;
    } catch (error) {
      const failure = fileFailure(error, 'Storing the file failed.', this.tools.layout.partials);
      const code = failure instanceof Failure ? failure.code : 'unexpected';
      log.warn('failed transfer', { source: file.source.label, code, ms: clock.now() - startedAt });
      throw failure;
    }
  }

  /** A content with the wrong digest is discarded and fetched anew once, in case it was damaged on the way. */
  private async fetchVerified(file: PlannedFile, progress: PullProgress, signal: AbortSignal): Promise<Provided> {
    const first = await this.receive(file, progress, signal);
    if ('blob' in first) return first;
    this.tools.log.warn('digest differs, fetching anew', { source: file.source.label });
    const second = await this.receive(file, progress, signal);
    if ('blob' in second) return second;
    throw digestMismatch(file, second.actual);
  }

  private async receive(
    file: PlannedFile,
    progress: PullProgress,
    signal: AbortSignal
  ): Promise<Provided | { readonly actual: Digest }> {
    const { layout, blobs, hasher, clock, log, tuning } = this.tools;
    const partial = await PartialDownload.claim(layout.partials, keyOf(file), clock.now);
    const onBytes = (received: number, total: number | null): void => progress.received(file, received, total);
    const heldBytes = partial.bytes;
    let hash: FileHash;
    try {
      hash = await transferFile(file, partial, { hasher, clock, log, tuning, signal, onBytes });
    } catch (error) {
      await keepOrRemove(partial, error);
      throw error;
    }
    if (file.digest !== null && hash.digest !== file.digest) {
      await partial.remove();
      return { actual: hash.digest };
    }
    await partial.close();
    const blob = await blobs.commit(partial.dataPath, hash);
    await rm(partial.folder, { recursive: true, force: true });
    const resumedFrom = partial.wasRestarted ? 0 : heldBytes;
    return { blob, receivedBytes: blob.bytes - resumedFrom, origin: resumedFrom > 0 ? 'resumed' : 'transferred' };
  }
}

interface Provided {
  readonly blob: Blob;
  /** Bytes that came from the source now. */
  readonly receivedBytes: number;
  readonly origin: 'transferred' | 'resumed' | 'stored';
}

function keyOf({ digest, source }: WantedFile): string {
  return partialKey(digest ?? source.identity);
}

const RESUMABLE: ReadonlySet<FailureCode> = new Set(['cancelled', 'network', 'http-status', 'disk-full']);

/**
 * After a refusal the bytes may be wrong; after a cancel, a lost connection or on a full disk those that are noted in
 * the journal are worth going on with.
 */
async function keepOrRemove(partial: PartialDownload, error: unknown): Promise<void> {
  const failure = fileFailure(error, '', partial.folder);
  const resumable = failure instanceof Failure && RESUMABLE.has(failure.code);
  await (resumable ? partial.release() : partial.remove());
}

function digestMismatch({ source, digest }: WantedFile, actual: Digest): Failure {
  return new Failure('digest-mismatch', `${source.label} does not have the content that the manifest promises.`, {
    subject: source.label,
    nextStep: `Its SHA-256 is ${actual}, the manifest says ${digest ?? ''}; check which one is right.`
  });
}
