import type { BatchImage, BatchSummary } from '../../shared/batch';
import type { RunningJob } from '../models/running-jobs';

/** A row of the view of jobs. */
export type JobNode = BatchNode | BatchImageNode | OtherJobNode;

export interface BatchNode {
  readonly kind: 'batch';
  readonly batch: BatchSummary;
}

/** An image of a batch that is done. */
export interface BatchImageNode {
  readonly kind: 'batch-image';
  readonly batch: BatchSummary;
  readonly image: BatchImage;
  /** 1-based. */
  readonly position: number;
}

/** A pull, a generation, or whatever else runs in this window. */
export interface OtherJobNode {
  readonly kind: 'job';
  readonly job: RunningJob;
}

/** What tells rows apart. */
export function jobId(node: JobNode): string {
  if (node.kind === 'job') return `job ${node.job.model}`;
  const batch = `batch ${node.batch.store} ${node.batch.job}`;
  return node.kind === 'batch' ? batch : `${batch} image ${node.position}`;
}
