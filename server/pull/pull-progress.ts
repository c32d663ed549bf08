import type { FileOrigin, PullEvent } from '../../shared/job-events';
import type { Clock } from '../platform/clock';
import { Throttle } from '../platform/throttle';
import { TransferRate } from './transfer-rate';

interface CountedFile {
  readonly filename: string;
  /** Size in bytes as it is likely to be, or null. */
  readonly likelyBytes: number | null;
}

interface CompletedFile {
  readonly bytes: number;
  readonly transferredBytes: number;
  readonly origin: FileOrigin;
}

/** Turns what a pull does into events: totals, rate and estimate; progress at most ten times a second. */
export class PullProgress {
  private readonly throttle: Throttle<PullEvent>;
  private readonly total: number | null;
  private readonly sizes = new Map<string, number | null>();
  private completedBytes = 0;
  private receivedBytes = 0;
  private interruptedBytes = 0;
  private rate: TransferRate | undefined;

  constructor(
    private readonly model: string,
    private readonly files: readonly CountedFile[],
    private readonly clock: Clock,
    private readonly emit: (event: PullEvent) => void
  ) {
    this.throttle = new Throttle(emit);
    this.total = sumOrNull(files.map(({ likelyBytes }) => likelyBytes));
    for (const { filename, likelyBytes } of files) this.sizes.set(filename, likelyBytes);
  }

  started(): void {
    this.emit({ type: 'started', model: this.model, files: this.files.length, bytes: this.total });
  }

  fileStarted(file: CountedFile): void {
    this.emit({ type: 'file_started', bytes: file.likelyBytes, ...this.numbered(file) });
    this.rate = undefined;
  }

  received(file: CountedFile, receivedBytes: number, fileBytes: number | null): void {
    this.sizes.set(file.filename, fileBytes);
    const totalReceivedBytes = this.completedBytes + receivedBytes;
    const { totalBytes } = this;
    this.receivedBytes = totalReceivedBytes;
    const now = this.clock.elapsed();
    this.rate ??= new TransferRate(now, totalReceivedBytes);
    this.rate.note(now, totalReceivedBytes);
    const { bytesPerSecond } = this.rate;
    const secondsLeft =
      totalBytes === null || !bytesPerSecond ? null : (totalBytes - totalReceivedBytes) / bytesPerSecond;
    this.throttle.offer({
      type: 'file_progress',
      model: this.model,
      filename: file.filename,
      receivedBytes,
      fileBytes,
      totalReceivedBytes,
      totalBytes,
      bytesPerSecond,
      secondsLeft
    });
  }

  checking(file: CountedFile, checkedBytes: number, fileBytes: number | null): void {
    const { model } = this;
    this.throttle.offer({ type: 'file_checking', model, filename: file.filename, checkedBytes, fileBytes });
  }

  fileCompleted(file: CountedFile, result: CompletedFile): void {
    const { bytes } = result;
    this.throttle.flush();
    this.sizes.set(file.filename, bytes);
    this.completedBytes += bytes;
    this.receivedBytes = this.completedBytes;
    this.emit({ type: 'file_completed', ...result, ...this.numbered(file) });
  }

  /** Bytes of transfers that were interrupted; what the sources sent before a pause counts too. */
  get bytesBeforePauses(): number {
    return this.interruptedBytes;
  }

  /** Counts what a transfer received before it was interrupted. */
  interrupted(bytes: number): void {
    this.interruptedBytes += bytes;
  }

  paused(): void {
    const { model, receivedBytes: totalReceivedBytes, totalBytes } = this;
    this.throttle.stop();
    // The rate that the pull goes on with has nothing to do with the one before.
    this.rate = undefined;
    this.emit({ type: 'paused', model, totalReceivedBytes, totalBytes });
  }

  resumed(): void {
    this.emit({ type: 'resumed', model: this.model });
  }

  /** Drops what was held back: the pull has failed. */
  stop(): void {
    this.throttle.stop();
  }

  private get totalBytes(): number | null {
    return sumOrNull([...this.sizes.values()]);
  }

  private numbered(file: CountedFile): { model: string; filename: string; index: number; files: number } {
    const { model, files } = this;
    return { model, filename: file.filename, index: files.indexOf(file) + 1, files: files.length };
  }
}

function sumOrNull(sizes: readonly (number | null)[]): number | null {
  return sizes.reduce<number | null>((sum, size) => (sum === null || size === null ? null : sum + size), 0);
}
