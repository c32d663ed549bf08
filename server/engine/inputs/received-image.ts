import { Failure } from '../../../shared/failure';
import type { Orientation } from '../../gallery/metadata/exif-orientation';
import { decodePng } from '../../gallery/png/png';
import { isPlainColour, rgbPng } from '../../gallery/png/png-rgb';
import { walkBitmap } from './bitmap';
import { type ImageKind, imageKind } from './image-kind';
import type { ImageWalk } from './image-walk';
import { walkJpeg } from './jpeg';
import { walkWebp } from './webp';

/** An image as the engine gets it. */
export interface ReceivedImage {
  /** By the content; the engine takes what is called `.webp` for WEBP, and nothing else. */
  readonly extension: '.png' | '.jpg' | '.webp' | '.bmp';
  readonly bytes: Uint8Array;
  /** In pixels, as they are stored. */
  readonly width: number;
  readonly height: number;
  /** How it is to be shown, which the engine does not heed; absent: as it is stored. */
  readonly orientation?: Orientation;
}

/** The largest file that is taken, in bytes. */
export const LARGEST_INPUT_BYTES = 128 * 1024 * 1024;

/** Most pixels that are taken, 8192 × 4096: engines make smaller images, and pixels take memory of the engine. */
const MOST_PIXELS = 32 * 1024 * 1024;

/** Formats that the engine does not read, as people know them. */
const FOREIGN: Readonly<Partial<Record<ImageKind, string>>> = {
  gif: 'a GIF',
  tiff: 'a TIFF',
  heif: 'an AVIF or HEIC image',
  'jpeg-xl': 'a JPEG XL image'
};

const SAVE_AS_PNG = 'Save it as a PNG in colour, then try again.';

/**
 * Checks an input image by its content, whatever it is called, and makes of it what the engine reads: greyscale,
 * palette, 16-bit and interlaced PNGs become PNGs of 8-bit RGB, everything else stays as it is.
 * @throws Failure 'bad-image' that says what to do, without a subject
 */
export function receivedImage(bytes: Uint8Array): ReceivedImage {
  const kind = imageKind(bytes);
  switch (kind) {
    case 'png':
      return receivedPng(bytes);
    case 'jpeg':
      return walked(bytes, '.jpg', walkJpeg(bytes));
    case 'webp':
      return walked(bytes, '.webp', walkWebp(bytes));
    case 'bmp':
      return walked(bytes, '.bmp', walkBitmap(bytes));
    case 'gif':
    case 'tiff':
    case 'heif':
    case 'jpeg-xl':
      throw unreadable(FOREIGN[kind] ?? kind);
    case undefined:
      throw new Failure('bad-image', bytes.length === 0 ? 'The image file is empty.' : 'This is no image.', {
        nextStep: 'Choose a PNG, JPEG, WEBP or BMP file.'
      });
  }
}

/** A PNG is decoded as a whole, so that none that is damaged reaches the engine. */
function receivedPng(bytes: Uint8Array): ReceivedImage {
  const image = decodePng(bytes, MOST_PIXELS);
  const { width, height } = image.header;
  return { extension: '.png', bytes: isPlainColour(image) ? bytes : rgbPng(image), width, height };
}

function walked(bytes: Uint8Array, extension: ReceivedImage['extension'], walk: ImageWalk): ReceivedImage {
  switch (walk.kind) {
    case 'complete': {
      const { kind: _, ...facts } = walk;
      const { width, height } = facts;
      if (width * height <= MOST_PIXELS) return { extension, bytes, ...facts };
      throw new Failure('bad-image', `The image has ${width} × ${height} pixels; ${MOST_PIXELS} are possible.`, {
        nextStep: 'Make it smaller, then try again.'
      });
    }
    case 'damaged':
      throw new Failure('bad-image', `The image is damaged: ${walk.reason}.`, {
        nextStep: 'Save it again with an image program, or choose another one.'
      });
    case 'unreadable':
      throw unreadable(walk.what);
  }
}

function unreadable(what: string): Failure {
  return new Failure('bad-image', `The image is ${what}, which the engine cannot read.`, { nextStep: SAVE_AS_PNG });
}
