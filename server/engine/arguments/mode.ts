import type { GenerationRequest } from '../../../shared/generation';

/** What a run makes of a request. */
export type GenerationMode = 'text-to-image' | 'image-to-image' | 'inpaint' | 'edit' | 'video';

/** What a request with all its defaults asks for, by the images that it names. */
export function modeOf({ references, mask, init_image, video_frames = 1 }: GenerationRequest): GenerationMode {
  if (video_frames > 1) return 'video';
  if (references !== undefined) return 'edit';
  if (mask !== undefined) return 'inpaint';
  return init_image === undefined ? 'text-to-image' : 'image-to-image';
}
