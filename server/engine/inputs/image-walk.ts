import type { Orientation } from '../../gallery/metadata/exif-orientation';

/** What a walk through a file's structure found: the size of a complete image, or why it cannot be used. */
export type ImageWalk =
  | { readonly kind: 'complete'; readonly width: number; readonly height: number; readonly orientation?: Orientation }
  /** `reason` completes "The image is damaged: …". */
  | { readonly kind: 'damaged'; readonly reason: string }
  /** The image may be sound; `what` completes "The image is …, which the engine cannot read". */
  | { readonly kind: 'unreadable'; readonly what: string };

export const CUT_OFF: ImageWalk = { kind: 'damaged', reason: 'it is cut off' };

export function damaged(reason: string): ImageWalk {
  return { kind: 'damaged', reason };
}

export function unreadable(what: string): ImageWalk {
  return { kind: 'unreadable', what };
}

/** A size in pixels, unless there is none. */
export function complete(width: number, height: number): ImageWalk {
  return width > 0 && height > 0 ? { kind: 'complete', width, height } : damaged('its size is impossible');
}
