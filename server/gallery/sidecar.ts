import * as z from 'zod';
import { isDigest } from '../../shared/digest';
import { Failure } from '../../shared/failure';
import { generationRequest, LARGEST_SEED } from '../../shared/generation';

/** What is written beside every image: what it is, and all that it takes to make it again. */
const imageSidecar = z.object({
  media_type: z.literal('image/png'),
  byte_length: z.int().min(1),
  width: z.int().min(1),
  height: z.int().min(1),
  /** What lists show; as a rule the prompt. */
  label: z.string(),
  created_at_unix_ms: z.int().min(0),
  /** The request with every default filled in. */
  request: generationRequest,
  seed: z.int().min(0).max(LARGEST_SEED),
  model: z.object({
    name: z.string(),
    /** SHA-256 of each file by its path in the bundle. */
    digests: z.record(z.string(), z.string().refine(isDigest, 'not a SHA-256 in lower case'))
  }),
  /** The version as the engine states it; never its path, for sidecars travel with images. */
  engine: z.object({ version: z.string() })
});

export type ImageSidecar = z.infer<typeof imageSidecar>;

/** A sidecar without what follows from the bytes of the image. */
export type ImageDescription = Omit<ImageSidecar, 'media_type' | 'byte_length'>;

/**
 * Reads the text of a sidecar.
 * @param id of the image that it belongs to
 * @throws Failure 'image-sidecar-unreadable'
 */
export function parseSidecar(text: string, id: string): ImageSidecar {
  try {
    return imageSidecar.parse(JSON.parse(text));
  } catch (cause) {
    throw new Failure('image-sidecar-unreadable', 'The description of the image cannot be read.', {
      subject: id,
      nextStep: 'The image itself is untouched; generate it again to write a new description.',
      cause
    });
  }
}

/** The text of a sidecar as it is written. */
export function formatSidecar(sidecar: ImageSidecar): string {
  return `${JSON.stringify(sidecar, null, 2)}\n`;
}
