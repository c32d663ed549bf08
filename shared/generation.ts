import * as z from 'zod';
import { type GenerationDefaults, generationDefaults } from './manifest/generation-defaults';
import { numberBetween, wholeNumber } from './manifest/value-rules';

/** The largest seed that sd-cli keeps apart from its neighbours in its own metadata. */
export const LARGEST_SEED = Number.MAX_SAFE_INTEGER;

/** The most images that one run makes. */
export const MOST_IMAGES = 64;

/** The most reference images that one run takes. */
export const MOST_REFERENCES = 8;

/** POSIX, a Windows drive, or a Windows share. */
const ABSOLUTE = /^(\/|[a-z]:[\\/]|\\\\)/i;

/** An image on the machine that the server runs on. */
const imagePath = z
  .string('must be the path of an image')
  .regex(ABSOLUTE, 'must be an absolute path')
  .refine((path) => !path.includes('\0'), 'must not contain a NUL character');

const share = numberBetween(0, 1);

/** What a user asks for: values given here win over the manifest's defaults, those over the engine's. */
export const generationRequest = generationDefaults.extend({
  prompt: z.string('must be a text'),
  /** Absent: the server draws one and records it. */
  seed: wholeNumber(0, LARGEST_SEED).optional(),
  /** How many images; the second has the next seed, and so on. Absent: one. */
  images: wholeNumber(1, MOST_IMAGES).optional(),
  /** The image to start from. */
  init_image: imagePath.optional(),
  /** How much of the image to start from is changed: 0 nothing, 1 everything. */
  strength: share.optional(),
  /** Which part of the image to start from is painted anew: white. */
  mask: imagePath.optional(),
  /** Images that an edit model works with. */
  references: z
    .array(imagePath, 'must be a list of paths')
    .min(1, 'must name an image')
    .max(MOST_REFERENCES, `must name at most ${MOST_REFERENCES} images`)
    .optional(),
  /** What a ControlNet goes by. */
  control_image: imagePath.optional(),
  control_strength: share.optional(),
  /** A second pass at a larger size. */
  hires: z
    .object(
      {
        /** How many times wider and higher. */
        scale: numberBetween(1, 8),
        strength: share.optional(),
        steps: wholeNumber(1, 1000).optional()
      },
      'must be an object with "scale"'
    )
    .optional(),
  /** Leaves the prompt and all settings out of the image's file; the description beside it has them all the same. */
  omit_metadata: z.boolean('must be true or false').optional()
});

export type GenerationRequest = z.infer<typeof generationRequest>;

/** Fields of a request that mean nothing without another one, and that one. */
export const NEEDED_BESIDE = [
  ['strength', 'init_image'],
  ['mask', 'init_image'],
  ['control_strength', 'control_image']
] as const satisfies readonly (readonly [keyof GenerationRequest, keyof GenerationRequest])[];

/** Which images a request to a model may name, besides one to start from. */
export interface ModelInputs {
  readonly references: boolean;
  readonly controlImage: boolean;
}

/** What a request to a model may say beside its prompt, and what counts where it says nothing. */
export interface GenerationChoices {
  readonly inputs: ModelInputs;
  /** Names of the values that change something, and that the engine has an option for. */
  readonly settings: readonly string[];
  /** By the names of sd-cli. */
  readonly samplingMethods: readonly string[];
  readonly schedulers: readonly string[];
  /** Those of the manifest, and what is usual for the family besides; the engine has its own for the rest. */
  readonly defaults: GenerationDefaults;
}

/** One image in the gallery. */
export interface GeneratedImage {
  /** SHA-256 of the bytes; names the image. */
  readonly id: string;
  /** Absolute path of the image (PNG) or video (AVI) in the gallery. */
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly seed: number;
  /** Set when it is a video. */
  readonly frames?: number;
}

/** What a generation gave. */
export interface GenerationResult {
  readonly model: string;
  readonly images: readonly GeneratedImage[];
  /** Things the user should know although the images are there, one sentence each. */
  readonly warnings: readonly string[];
  readonly milliseconds: number;
}
