import * as z from 'zod';
import { generationDefaults } from './manifest/generation-defaults';

/** The largest seed that sd-cli keeps apart from its neighbours in its own metadata. */
export const LARGEST_SEED = Number.MAX_SAFE_INTEGER;

/** What a user asks for: values given here win over the manifest's defaults, those over the engine's. */
export const generationRequest = generationDefaults.extend({
  prompt: z.string(),
  /** Absent: the server draws one and records it. */
  seed: z.int().min(0).max(LARGEST_SEED).optional()
});

export type GenerationRequest = z.infer<typeof generationRequest>;

/** One image in the gallery. */
export interface GeneratedImage {
  /** SHA-256 of the bytes; names the image. */
  readonly id: string;
  /** Absolute path of the PNG in the gallery. */
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly seed: number;
}

/** What a generation gave. */
export interface GenerationResult {
  readonly model: string;
  readonly images: readonly GeneratedImage[];
  /** Things the user should know although the images are there, one sentence each. */
  readonly warnings: readonly string[];
  readonly milliseconds: number;
}
