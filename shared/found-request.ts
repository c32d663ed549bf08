import type * as z from 'zod';
import { generationRequest } from './generation';

/** A request of which any part may be missing. */
export const partialRequest = generationRequest.partial();

export type PartialRequest = z.infer<typeof partialRequest>;

/** Which program's description of an image was read. */
export type RequestOrigin = 'Diffusion Dock' | 'stable-diffusion.cpp' | 'A1111' | 'ComfyUI';

/** What an image says about how it was made, as far as a request can say it. */
export interface FoundRequest {
  readonly origin: RequestOrigin;
  readonly request: PartialRequest;
  /** The model of ours that it was made with. */
  readonly model?: string;
  /** Names of files that it was made with, as the image states them. */
  readonly models: readonly string[];
  /** What could not be taken over, one sentence each. */
  readonly leftOut: readonly string[];
}
