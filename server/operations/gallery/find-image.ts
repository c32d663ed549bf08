import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../../shared/failure';
import type { StoredImage } from '../../gallery/images';
import { fileFailure } from '../../platform/system-error';
import type { Services } from '../services';

type Gallery = Pick<Services, 'images'>;

/** The shortest beginning of an id that is looked up, in digits. */
const SHORTEST_PREFIX = 4;

/**
 * Finds an image by its id or by the beginning of it.
 * @returns the whole id, also of an image that is not whole
 * @throws Failure 'image-missing', 'bad-request' when several images begin so
 */
export async function findImageId({ images }: Gallery, prefix: string): Promise<string> {
  const wanted = prefix.trim().toLowerCase();
  if (/^[\da-f]{64}$/.test(wanted)) return wanted;
  if (!/^[\da-f]+$/.test(wanted) || wanted.length < SHORTEST_PREFIX) {
    throw new Failure('bad-request', `An id consists of hexadecimal digits, of which ${SHORTEST_PREFIX} are enough.`, {
      subject: prefix,
      nextStep: '"diffusion-dock images" lists them.'
    });
  }
  const [only, ...others] = await images.idsFrom(wanted);
  if (only === undefined) {
    throw new Failure('image-missing', 'No image of the gallery has an id that begins so.', {
      subject: prefix,
      nextStep: '"diffusion-dock images" lists them.'
    });
  }
  if (others.length > 0) {
    throw new Failure('bad-request', `${others.length + 1} images have an id that begins so.`, {
      subject: prefix,
      nextStep: 'Give more digits of it.'
    });
  }
  return only;
}

/** @throws as {@link findImageId}; Failure of an image that is not whole */
export async function findImage(services: Gallery, prefix: string): Promise<StoredImage> {
  return services.images.get(await findImageId(services, prefix));
}

/**
 * The image of the gallery that has the bytes of a file, wherever the file lies.
 * @throws Failure 'image-missing' when there is none, 'file-access'
 */
export async function imageOfFile({ images }: Gallery, path: string): Promise<StoredImage> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw fileFailure(error, 'The image cannot be read.', path);
  }
  return images.get(hash.digest('hex'));
}
