import type { GenerationRequest } from '../../../shared/generation';
import type { QueuePlace } from '../../../shared/job-events';
import { inTurn } from '../../engine/queue';
import { sweepScratch } from '../../engine/scratch';
import type { Services } from '../services';
import type { GenerateOptions } from './generate-options';

/**
 * Runs an engine when no other runs for this cache on this machine, and tells meanwhile where in the queue it waits.
 * @param run gets whether it had to wait
 * @throws what `run` throws; Failure 'cancelled', 'file-access', 'disk-full'
 */
export function whenItsTurn<T>(
  { layout, log }: Services,
  { model, request }: { readonly model: string; readonly request: Pick<GenerationRequest, 'images'> },
  { signal, onProgress }: Pick<GenerateOptions, 'signal' | 'onProgress'>,
  run: (hasWaited: boolean) => Promise<T>
): Promise<T> {
  const queue = {
    folder: layout.queue,
    model,
    signal,
    onPlace: (place: QueuePlace) =>
      onProgress({ model, phase: 'waiting', image: 1, images: request.images ?? 1, queue: place }),
    endOrphans: async () => {
      const { ended, problems } = await sweepScratch(layout.scratch);
      if (ended > 0) log.info('ended engines of dead processes', { engines: ended });
      for (const problem of problems) log.warn(problem);
    }
  };
  return inTurn(queue, run);
}
