import { Failure } from '../../shared/failure';
import type { PullEvent } from '../../shared/job-events';
import type { ModelName } from '../../shared/model-name';
import type { Clock } from '../platform/clock';
import type { Hasher } from '../platform/hasher';
import type { Log } from '../platform/log';
import type { PartHasher } from '../platform/part-hasher';
import type { Blob, BlobStore } from '../store/blob-store';
import type { CacheLayout } from '../store/cache-layout';
import type { FreeBytes } from './disk-room';
import type { ExpectedFile, TransferTools, WantedFile } from './expected-file';
import type { AdoptionPlace } from './local/adoption-place';
import { nowOrLater, removeAbandoned } from './partial/partial-folders';
import { PauseSwitch } from './pause-switch';
import { otherContent, provideFile } from './provide-file';
import { type PlannedFile, type PullPlan, planPull, requireSpace } from './pull-plan';
import { PullProgress } from './pull-progress';
import { contentKey, type FetchedFile, fetchBesideStore, type ReceiveTools } from './receive-file';
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
  readonly parts: PartHasher;
  readonly clock: Clock;
  readonly log: Log;
  readonly tuning: TransferTuning;
  readonly limits: TransferTools['limits'];
  readonly freeBytes: FreeBytes;
  /** Where bytes may lie on this machine that need not be transferred. */
  readonly places: readonly AdoptionPlace[];
}

export interface PullOptions {
  readonly signal: AbortSignal;
  /** Whoever has it can let the pull stand still and go on. */
  readonly pause?: PauseSwitch;
  readonly onEvent: (event: PullEvent) => void;
  /** Hears of a file that cannot be had, and the others still come; absent: the first ends the pull. */
  readonly onFailed?: (filename: string, failure: Failure) => void;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  /** Bytes of the file on disk and its size, as far as it is known. */
  readonly onBytes: (received: number, total: number | null) => void;
}

interface ProvideOptions {
  readonly signal: AbortSignal;
  readonly pause: PauseSwitch;
  readonly onFailed: PullOptions['onFailed'];
}

/** Brings the files of models into the blob store. */
export class PullEngine {
  constructor(private readonly tools: PullTools) {}

  /**
   * Brings every file into the blob store, in order; a content that is there already is not transferred again.
   * What was received before a cancel or a fault stays as a partial and is gone on with next time.
   * @throws Failure
   */
  async pull(
    model: ModelName,
    files: readonly WantedFile[],
    { signal, pause, onEvent, onFailed }: PullOptions
  ): Promise<PullOutcome> {
    const plan = await this.plan(files, signal);
    const progress = new PullProgress(model, plan.files, this.tools.clock, onEvent);
    progress.started();
    try {
      requireSpace(plan, this.tools.layout, this.tools.log);
      return await this.provideAll(plan.files, progress, { signal, pause: pause ?? new PauseSwitch(), onFailed });
    } finally {
      progress.stop();
    }
  }

  /** Says what a pull of these files would do. @throws Failure when a file is certainly not to be had */
  plan(files: readonly WantedFile[], signal: AbortSignal): Promise<PullPlan> {
    return planPull(files, { ...this.tools, signal });
  }

  /**
   * Brings one file to disk beside the store, for somebody who keeps it elsewhere. A content that differs from the
   * digest is fetched anew once, in case it was damaged on the way.
   * @throws Failure; what was received before a cancel or a passing fault stays as a partial
   */
  async fetch(file: ExpectedFile, { signal, onBytes }: FetchOptions): Promise<FetchedFile> {
    const tools = { ...this.tools, signal, onBytes, onChecked: ignore, onInterrupted: ignore };
    for (let isLast = false; ; isLast = true) {
      const fetched = await fetchBesideStore(file, tools);
      if (fetched.kind === 'complete') return fetched;
      if (isLast) throw otherContent(file, fetched.actual);
    }
  }

  private async provideAll(
    files: readonly PlannedFile[],
    progress: PullProgress,
    { signal, pause, onFailed }: ProvideOptions
  ): Promise<PullOutcome> {
    const pulled: PulledFile[] = [];
    let transferredBytes = 0;
    for (const file of files) {
      try {
        const { blob, receivedBytes } = await this.provide(file, progress, { signal, pause });
        transferredBytes += receivedBytes;
        pulled.push({ filename: file.filename, blob, digestOrigin: file.digest === null ? 'observed' : 'declared' });
      } catch (error) {
        if (!onFailed || !(error instanceof Failure) || error.code === 'cancelled') throw error;
        onFailed(file.filename, error);
      }
    }
    return { files: pulled, transferredBytes: transferredBytes + progress.bytesBeforePauses };
  }

  private async provide(
    file: PlannedFile,
    progress: PullProgress,
    { signal, pause }: Pick<ProvideOptions, 'signal' | 'pause'>
  ) {
    progress.fileStarted(file);
    const { blob, receivedBytes, origin } = await pause.run({
      signal,
      onPaused: () => progress.paused(),
      onResumed: () => progress.resumed(),
      work: (running) => provideFile(file, this.toolsFor(file, progress, running))
    });
    await nowOrLater(() => removeAbandoned(this.tools.layout.partials, contentKey(file)));
    progress.fileCompleted(file, { bytes: blob.bytes, transferredBytes: receivedBytes, origin });
    return { blob, receivedBytes };
  }

  private toolsFor(file: PlannedFile, progress: PullProgress, signal: AbortSignal): ReceiveTools {
    return {
      ...this.tools,
      signal,
      onBytes: (received, total) => progress.received(file, received, total),
      onChecked: (checked, total) => progress.checking(file, checked, total),
      onInterrupted: (received) => progress.interrupted(received)
    };
  }
}

function ignore(): void {
  // Whoever fetches a single file shows what arrives, and nothing else.
}
