import type { Digest } from '../../../shared/digest';
import { Failure } from '../../../shared/failure';
import type { GeneratedImage } from '../../../shared/generation';
import type { HeldCheckpoint } from '../../artifacts/checkpoints/held-checkpoint';
import type { StoredImage } from '../../gallery/images';
import { digestOf } from '../../gallery/incoming-image';
import { readImageFile } from '../../gallery/png/png-file';
import { formatSidecar, parseSidecar } from '../../gallery/sidecar';
import type { Services } from '../services';

type Parts = Pick<Services, 'images' | 'imageInputs'>;

/** The largest image that is taken from a store, in bytes: as large as one of the gallery may be. */
const LARGEST_IMAGE = 512 * 1024 * 1024;

/**
 * Copies an image of the gallery into the checkpoint of its job: description, and what it was made from, too.
 * @throws Failure
 */
export async function storeImage(
  { images, imageInputs }: Parts,
  checkpoint: HeldCheckpoint,
  id: Digest,
  signal: AbortSignal
): Promise<void> {
  const { sidecar } = await images.get(id);
  for (const { digest } of sidecar.inputs ?? []) {
    await checkpoint.putInput(digest, await readImageFile(imageInputs.pathOf(digest)), signal);
  }
  await checkpoint.putImage(id, { bytes: await images.read(id), sidecar: formatSidecar(sidecar) }, signal);
}

/**
 * Brings an image that was made for a job into the gallery, from the checkpoint if it was made elsewhere.
 * @throws Failure('bad-checkpoint') that names the key of what is not as it was
 */
export async function bringImage(
  services: Parts,
  checkpoint: HeldCheckpoint,
  id: Digest,
  signal: AbortSignal
): Promise<GeneratedImage> {
  const here = await imageHere(services, id);
  if (here) return here;
  const { bytes, sidecar } = await checkpoint.readImage(id, LARGEST_IMAGE, signal);
  const { media_type: _type, byte_length: _length, ...description } = parseSidecar(sidecar, id);
  for (const { digest } of description.inputs ?? []) {
    if (await services.imageInputs.isIntact(digest)) continue;
    await services.imageInputs.keepBytes(digest, await checkpoint.readInput(digest, LARGEST_IMAGE, signal));
  }
  return described(await services.images.put({ bytes }, description));
}

/** An image of the gallery, all of whose bytes are right. */
export async function imageHere({ images }: Pick<Parts, 'images'>, id: Digest): Promise<GeneratedImage | undefined> {
  try {
    const stored = await images.get(id);
    return digestOf(await images.read(id)) === id ? described(stored) : undefined;
  } catch (error) {
    if (error instanceof Failure && error.code.startsWith('image-')) return undefined;
    throw error;
  }
}

function described({ id, path, sidecar }: StoredImage): GeneratedImage {
  const { width, height, byte_length: bytes, seed, frames } = sidecar;
  return { id, path, width, height, bytes, seed, ...(frames !== undefined && { frames }) };
}
