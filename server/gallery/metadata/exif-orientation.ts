import { type ExifBlock, exifNumber16, firstDirectory, openExif } from './exif-block';

const ORIENTATION = 0x0112;

/** A number of two bytes. */
const SHORT = 3;

/** Values of the tag that change what a viewer shows; 1 is the image as it is stored. */
const ORIENTATIONS = [2, 3, 4, 5, 6, 7, 8] as const;

/** How the pixels of an image are to be turned or mirrored to be seen as it was taken: a value of EXIF's tag. */
export type Orientation = (typeof ORIENTATIONS)[number];

/** Reads how an image is to be shown; undefined: as it is stored, or the data does not say it as browsers heed it. */
export function exifOrientation(data: Uint8Array): Orientation | undefined {
  const block = openExif(data);
  const value = block && firstOrientation(block);
  return ORIENTATIONS.find((known) => known === value);
}

function firstOrientation(block: ExifBlock): number | undefined {
  const entry = firstDirectory(block).find(({ tag }) => tag === ORIENTATION);
  return entry?.type === SHORT && entry.count === 1 ? exifNumber16(block, entry.field) : undefined;
}
