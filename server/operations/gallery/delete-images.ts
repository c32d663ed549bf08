import type { FailureCode } from '../../../shared/failure';
import type { Services } from '../services';
import { findImageId } from './find-image';

type Gallery = Pick<Services, 'images' | 'imageInputs'>;

/** What is left of an image where no description, or no image, needs inputs any more. */
const WITHOUT_INPUTS: ReadonlySet<FailureCode> = new Set(['image-missing', 'image-sidecar-missing']);

/**
 * Deletes an image with its description.
 * @param prefix its id or the beginning of it
 * @returns its id
 * @throws Failure 'image-missing', 'bad-request', 'file-access'
 */
type DeleteImage = (prefix: string) => Promise<string>;

/**
 * Deletes images, and in the end the input images that no other image was made from: what is left is read once for all
 * of them.
 * @param work deletes as many as it likes
 * @returns what `work` gives
 * @throws what `work` throws; Failure 'file-access' when input images cannot be removed
 */
export async function deleteImages<T>(gallery: Gallery, work: (deleteImage: DeleteImage) => Promise<T>): Promise<T> {
  let isAnyGone = false;
  const result = await work(async (prefix) => {
    const id = await findImageId(gallery, prefix);
    await gallery.images.delete(id);
    isAnyGone = true;
    return id;
  });
  if (isAnyGone) await removeUnusedInputs(gallery);
  return result;
}

async function removeUnusedInputs({ images, imageInputs }: Gallery): Promise<void> {
  const left = await images.list();
  // A description that cannot be read, or not now, may name inputs too.
  if (left.some((entry) => entry.kind === 'broken' && !WITHOUT_INPUTS.has(entry.failure.code))) return;
  const inputs = left.flatMap((entry) => (entry.kind === 'whole' ? (entry.image.sidecar.inputs ?? []) : []));
  await imageInputs.removeAllBut(new Set(inputs.map(({ digest }) => digest)));
}
