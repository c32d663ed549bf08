import type { BatchImage, BatchName } from '../../../shared/batch';
import { Failure } from '../../../shared/failure';
import type { StoredImage } from '../../gallery/images';
import type { Services } from '../services';
import { JobRecords } from './job-records';

/**
 * The images of a batch that is done, in the order of its items, as far as the gallery has them still.
 * @throws Failure('file-access')
 */
export async function imagesOfBatch(
  { layout, images }: Pick<Services, 'layout' | 'images'>,
  batch: BatchName
): Promise<readonly BatchImage[]> {
  const record = await new JobRecords(layout.batchRecords).find(batch);
  const found: BatchImage[] = [];
  for (const id of record?.images ?? []) {
    const image = await images.get(id).catch(missing);
    if (image) found.push({ path: image.path, prompt: image.sidecar.request.prompt });
  }
  return found;
}

/**
 * Takes a batch that is done off the list; its images stay.
 * @throws Failure 'busy' when it is not done, 'file-access'
 */
export async function forgetBatch({ layout }: Pick<Services, 'layout'>, batch: BatchName): Promise<void> {
  const records = new JobRecords(layout.batchRecords);
  const record = await records.find(batch);
  if (!record) return;
  if (record.state === 'done') return records.forget(record);
  throw new Failure('busy', `The batch ${batch.job} is not done.`, {
    subject: batch.job,
    nextStep: 'Resume it, or begin it anew.'
  });
}

/** Images may be deleted whenever somebody likes. */
function missing(error: unknown): StoredImage | undefined {
  if (error instanceof Failure && error.code.startsWith('image-')) return undefined;
  throw error;
}
