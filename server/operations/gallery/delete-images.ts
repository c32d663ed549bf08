import type { FailureCode } from '../../../shared/failure';
import type { Services } from '../services';
import { findImageId } from './find-image';

/** What is left of an image where no description, or no image, needs inputs any more. */
const WITHOUT_INPUTS: ReadonlySet<FailureCode> = new Set(['image-missing', 'image-sidecar-missing']);

/**
 * Deletes an image with its description, and the input images that no other image was made from.
 * @param prefix its id or the beginning of it
 * @returns its id
 * @throws Failure 'image-missing', 'bad-request', 'file-access'
 */
export async function deleteImage(services: Pick<Services, 'images' | 'imageInputs'>, prefix: string): Promise<string> {
  const id = await findImageId(services, prefix);
  await services.images.delete(id);
  const left = await services.images.list();
  // A description that cannot be read, or not now, may name inputs too.
  if (left.some((entry) => entry.kind === 'broken' && !WITHOUT_INPUTS.has(entry.failure.code))) return id;
  const inputs = left.flatMap((entry) => (entry.kind === 'whole' ? (entry.image.sidecar.inputs ?? []) : []));
  await services.imageInputs.removeAllBut(new Set(inputs.map(({ digest }) => digest)));
  return id;
}
