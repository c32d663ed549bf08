import * as z from 'zod';
import { isDigest } from '../../shared/digest';
import { Failure } from '../../shared/failure';
import { generationRequest, LARGEST_SEED } from '../../shared/generation';

/** Fields of a request that name images, and so the places where an image was put in. */
export const INPUT_FIELDS = ['init_image', 'mask', 'references', 'control_image'] as const;

export type InputField = (typeof INPUT_FIELDS)[number];

const digest = z.string().refine(isDigest, 'not a SHA-256 in lower case');

/** An image that a run was given. References come in their order. */
const imageInput = z.object({
  field: z.enum(INPUT_FIELDS),
  /** Of the bytes as the engine got them; they are kept under it. */
  digest,
  /** The name of the file that it was, without its folder. */
  name: z.string()
});

export type ImageInput = z.infer<typeof imageInput>;

/** What is written beside every image: what it is, and all that it takes to make it again. */
const imageSidecar = z.object({
  media_type: z.enum(['image/png', 'video/x-msvideo']),
  byte_length: z.int().min(1),
  width: z.int().min(1),
  height: z.int().min(1),
  /** Of a video alone. */
  frames: z.int().min(1).optional(),
  /** Frames a second, of a video alone. */
  fps: z.number().min(0).optional(),
  /** What lists show; as a rule the prompt. */
  label: z.string(),
  created_at_unix_ms: z.int().min(0),
  /** The request with every default filled in, and without the paths of input images: sidecars travel with images. */
  request: generationRequest,
  seed: z.int().min(0).max(LARGEST_SEED),
  model: z.object({
    name: z.string(),
    /** SHA-256 of each file by its path in the bundle. */
    digests: z.record(z.string(), digest),
    /** What each of the files was to the engine, as far as it was something. */
    roles: z.record(z.string(), z.string()).optional()
  }),
  engine: z.object({
    /** As the engine states it; never its path. */
    version: z.string(),
    /** SHA-256 of the program. */
    digest: digest.optional()
  }),
  mode: z.string().optional(),
  inputs: z.array(imageInput).optional(),
  /** LoRAs that prompts asked for and that are no files of the model. */
  loras: z.array(z.object({ name: z.string(), digest })).optional(),
  /** How long the run took of which it is an image. */
  milliseconds: z.number().min(0).optional()
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
