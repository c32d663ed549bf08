import * as z from 'zod';
import type { ExaminedImage } from '../gallery/png-look';
import type { WorkerPool } from '../platform/workers/worker-pool';

/** The task's name in the pool; the worker serves it with the gallery's reader. */
export const INSPECT_IMAGE_TASK = 'inspect-image';

export const inspectImageInput = z.object({ path: z.string() });

const inspectedImage = z.object({
  width: z.int(),
  height: z.int(),
  parameters: z.string().optional(),
  look: z.discriminatedUnion('kind', [
    z.object({ kind: z.enum(['picture', 'noise', 'unjudged']) }),
    z.object({ kind: z.literal('plain'), colour: z.enum(['black', 'white', 'grey', 'coloured']) })
  ])
});

/** Decodes and judges a PNG file in a worker, so that a large one does not block the server. @throws Failure('bad-image') */
export async function inspectImage(pool: WorkerPool, path: string, signal: AbortSignal): Promise<ExaminedImage> {
  const answer: unknown = await pool.start(INSPECT_IMAGE_TASK, { path }, { signal }).result;
  const { parameters, ...image } = inspectedImage.parse(answer);
  return parameters === undefined ? image : { ...image, parameters };
}
