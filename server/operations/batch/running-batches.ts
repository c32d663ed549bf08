import type { BatchSummary } from '../../../shared/batch';
import { Failure } from '../../../shared/failure';

/** A batch that this process runs. */
export interface RunningBatch {
  readonly summary: BatchSummary;
  /** Says what is the case now. */
  update(now: Partial<BatchSummary>): void;
}

/** The batches that this process runs: each job of a store once. */
export class RunningBatches {
  readonly #running = new Map<string, RunningBatch>();

  /** @throws Failure('busy') when this process runs the job already; what `run` throws */
  async run<T>(beginning: BatchSummary, run: (batch: RunningBatch) => Promise<T>): Promise<T> {
    const { job, store } = beginning;
    const key = keyOf(beginning);
    if (this.#running.has(key)) {
      throw new Failure('busy', `The batch ${job} is running already.`, {
        subject: store,
        nextStep: 'Wait until it is done, or cancel it.'
      });
    }
    let summary = beginning;
    const batch: RunningBatch = {
      get summary() {
        return summary;
      },
      update(now) {
        summary = { ...summary, ...now };
      }
    };
    this.#running.set(key, batch);
    try {
      return await run(batch);
    } finally {
      this.#running.delete(key);
    }
  }

  find(batch: Pick<BatchSummary, 'job' | 'store'>): BatchSummary | undefined {
    return this.#running.get(keyOf(batch))?.summary;
  }
}

function keyOf({ job, store }: Pick<BatchSummary, 'job' | 'store'>): string {
  return JSON.stringify([store, job]);
}
