import { beginsAsExif } from '../../gallery/metadata/exif-block';
import { exifOrientation, type Orientation } from '../../gallery/metadata/exif-orientation';
import { CUT_OFF, complete, damaged, type ImageWalk, unreadable } from './image-walk';

const MARKER = 0xff;
const START_OF_IMAGE = 0xd8;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
const APP1 = 0xe1;

/** Frames that the engine's decoder reads: baseline, extended, progressive. */
const READABLE_FRAMES = new Set([0xc0, 0xc1, 0xc2]);

/** Every frame: C0 to CF without the tables and the extension that lie between them. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** Restart markers lie within the data of a scan, like an escaped FF. */
const isWithinScan = (marker: number): boolean => marker === 0 || (marker >= 0xd0 && marker <= 0xd7);

/** Markers without a length: restarts, and one for private use. */
const isAlone = (marker: number): boolean => (marker >= 0xd0 && marker <= 0xd7) || marker === 0x01;

/**
 * Walks through the markers of a JPEG up to its end. The engine's decoder takes a file that is cut off for a whole one
 * and paints the rest grey, so completeness is found here, and it does not heed how the image is to be shown, so that is
 * read here, too. The size is that of the stored pixels; they are not decoded.
 */
export function walkJpeg(bytes: Uint8Array): ImageWalk {
  let frame: Extract<ImageWalk, { readonly kind: 'complete' }> | undefined;
  let orientation: Orientation | undefined;
  let scans = 0;
  let at = 2;
  while (at < bytes.length) {
    if (bytes[at] !== MARKER) return damaged('there are bytes between its parts');
    while (bytes[at] === MARKER) at += 1;
    const marker = bytes[at];
    if (marker === undefined) return CUT_OFF;
    at += 1;
    if (marker === END_OF_IMAGE) {
      if (!frame || scans === 0) return damaged('it ends before its pixels');
      return orientation === undefined ? frame : { ...frame, orientation };
    }
    if (marker === START_OF_IMAGE || marker === 0) return damaged('one of its markers is out of place');
    if (isAlone(marker)) continue;
    const length = word(bytes, at);
    if (length === undefined || at + length > bytes.length) return CUT_OFF;
    if (length < 2) return damaged('one of its parts has no length');
    if (marker === APP1) orientation ??= orientationIn(bytes.subarray(at + 2, at + length));
    if (isFrame(marker)) {
      if (frame) return damaged('it has two frames');
      const read = readFrame(marker, bytes.subarray(at + 2, at + length));
      if (read.kind !== 'complete') return read;
      frame = read;
    }
    at += length;
    if (marker === START_OF_SCAN) {
      if (!frame) return damaged('its pixels come before its size');
      scans += 1;
      at = behindScan(bytes, at);
    }
  }
  return CUT_OFF;
}

function word(bytes: Uint8Array, at: number): number | undefined {
  const [high, low] = bytes.subarray(at, at + 2);
  return high === undefined || low === undefined ? undefined : high * 256 + low;
}

function orientationIn(segment: Uint8Array): Orientation | undefined {
  return beginsAsExif(segment) ? exifOrientation(segment) : undefined;
}

function readFrame(marker: number, data: Uint8Array): ImageWalk {
  if (!READABLE_FRAMES.has(marker)) return unreadable('a JPEG of a rare kind');
  const [precision, , , , , components] = data;
  const [height, width] = [word(data, 1), word(data, 3)];
  if (components === undefined || height === undefined || width === undefined || data.length !== 6 + 3 * components) {
    return damaged('its frame has the wrong length');
  }
  if (precision !== 8) return unreadable(`a JPEG with ${precision} bits a channel`);
  // The engine wants three channels, and says so only when it runs.
  if (components === 1) return unreadable('a greyscale JPEG');
  if (components !== 3 && components !== 4) return unreadable(`a JPEG with ${components} channels`);
  return complete(width, height);
}

/** Index of the marker that ends the data of a scan, or the end of the file. */
function behindScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(MARKER, from); at !== -1; at = bytes.indexOf(MARKER, at + 1)) {
    const next = bytes[at + 1];
    if (next !== undefined && next !== MARKER && !isWithinScan(next)) return at;
  }
  return bytes.length;
}
