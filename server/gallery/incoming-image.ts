import { createHash } from 'node:crypto';
import { type Digest, parseDigest } from '../../shared/digest';
import { Failure } from '../../shared/failure';
import { readImageFile } from './png/png-file';
import type { ImageDescription, ImageSidecar } from './sidecar';

/** The bytes of a checked image or video, or a file that holds them. */
export type ImageSource = { readonly bytes: Uint8Array } | { readonly path: string };

/** An image on its way into a store: its bytes, its name, and its complete sidecar. */
export interface IncomingImage {
  readonly bytes: Uint8Array;
  readonly id: Digest;
  readonly sidecar: ImageSidecar;
}

/** Reads a source and completes its description. Stores of every kind begin with this. */
export async function receiveImage(image: ImageSource, description: ImageDescription): Promise<IncomingImage> {
  const bytes = 'bytes' in image ? image.bytes : await readImageFile(image.path);
  const media_type = description.frames === undefined ? 'image/png' : 'video/x-msvideo';
  const sidecar: ImageSidecar = { media_type, byte_length: bytes.length, ...description };
  return { bytes, id: digestOf(bytes), sidecar };
}

/** Reads an id that came from outside; it becomes a part of paths. @throws Failure 'image-missing' */
export function parseImageId(id: string): Digest {
  return parseDigest(id) ?? fail(id);
}

/** The failure of an image that is not in the store. */
export function imageMissing(id: string): Failure {
  return new Failure('image-missing', 'The image is not in the gallery.', {
    subject: id,
    nextStep: 'It may have been deleted; generate it again.'
  });
}

/** The failure of an image without a sidecar. */
export function sidecarMissing(id: string): Failure {
  return new Failure('image-sidecar-missing', 'The image has no description beside it.', {
    subject: id,
    nextStep: 'The image itself is there; generate it again to write a new description.'
  });
}

function fail(id: string): never {
  throw imageMissing(id);
}

/** The SHA-256 of bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  const digest = parseDigest(createHash('sha256').update(bytes).digest('hex'));
  if (digest === undefined) throw new Error('a SHA-256 has 64 digits');
  return digest;
}
