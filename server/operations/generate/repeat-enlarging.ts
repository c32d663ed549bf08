import { Failure } from '../../../shared/failure';
import type { StoredImage } from '../../gallery/images';
import { engineInUse } from '../engine/engine-in-use';
import { findImage } from '../gallery/find-image';
import { findModel, type KnownModel } from '../models/known-models';
import type { Services } from '../services';
import { soundModel } from './check';
import { UPSCALE } from './keep';
import { differencesOf, type RepetitionWish } from './repeat';

/** An enlarging that is done again. */
export interface EnlargingAgain {
  readonly image: StoredImage;
  readonly model: KnownModel;
  /** Where the image is kept that was enlarged, and the name that it had. */
  readonly original: { readonly path: string; readonly name: string };
  /** What is not as it was then and may change the result, one sentence each. */
  readonly differences: readonly string[];
}

/**
 * Prepares to enlarge an image again, with the model of then or another one.
 * @returns undefined for an image that was not enlarged but generated
 * @throws Failure of what cannot be done: the image, its description, the model, the original or the engine is gone
 */
export async function enlargingAgain(
  services: Services,
  { image: prefix, model: other, signal }: Omit<RepetitionWish, 'changes'>
): Promise<EnlargingAgain | undefined> {
  const image = await findImage(services, prefix);
  const { sidecar } = image;
  if (sidecar.mode !== UPSCALE) return undefined;
  const original = sidecar.inputs?.find(({ field }) => field === 'init_image');
  if (!original || !(await services.imageInputs.isIntact(original.digest))) {
    throw new Failure('image-missing', 'The image that was enlarged is no longer kept.', {
      subject: image.id,
      nextStep: 'Enlarge an image with: diffusion-dock upscale IMAGE --model NAME.'
    });
  }
  const model = await findModel(services, other ?? sidecar.model.name);
  const { manifest } = await soundModel(services, model);
  const { abilities } = await engineInUse(services, { signal });
  return {
    image,
    model,
    original: { path: services.imageInputs.pathOf(original.digest), name: original.name },
    differences: differencesOf(sidecar, { name: model.name, files: manifest.files }, abilities)
  };
}
