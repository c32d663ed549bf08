import type { ExaminedImage } from '../../gallery/png/png-look';
import type { WorkerPool } from '../../platform/workers/worker-pool';

/** The task's name in the pool; the worker serves it with the gallery's reader. */
export const INSPECT_IMAGE_TASK = 'inspect-image';

export interface InspectImageTask {
  readonly name: typeof INSPECT_IMAGE_TASK;
  /** Path of the image. */
  readonly input: string;
  readonly result: ExaminedImage;
}

/** Decodes and judges a PNG file in a worker, so that a large one does not block the server. @throws Failure('bad-image') */
export function inspectImage(pool: WorkerPool, path: string, signal: AbortSignal): Promise<ExaminedImage> {
  return pool.start<InspectImageTask>(INSPECT_IMAGE_TASK, path, { signal }).result;
}
