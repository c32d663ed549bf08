import * as z from 'zod';
import type { PngImage } from '../gallery/png';
import type { WorkerPool } from '../platform/workers/worker-pool';

/** The task's name in the pool; the worker serves it with the gallery's reader. */
export const INSPECT_IMAGE_TASK = 'inspect-image';

export const inspectImageInput = z.object({ path: z.string() });

const inspectedImage = z.object({ width: z.int(), height: z.int() });

/** Decodes a PNG file in a worker, so that a large one does not block the server. @throws Failure('bad-image') */
export async function inspectImage(pool: WorkerPool, path: string, signal: AbortSignal): Promise<PngImage> {
  return inspectedImage.parse(await pool.start(INSPECT_IMAGE_TASK, { path }, { signal }).result);
}
