/** The header of a PNG, as far as it decides how many bytes the pixels take. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** 1 to 64. */
  readonly bitsPerPixel: number;
  /** 1 to 4; the last of 2 or 4 says how opaque a pixel is. */
  readonly channels: number;
  readonly isInterlaced: boolean;
  readonly needsPalette: boolean;
}

/** A part of an image whose lines follow each other: the whole, or one of the seven of an interlaced image. */
export interface Pass {
  readonly width: number;
  readonly height: number;
  /** Column and row of its first pixel, and the distances between its columns and rows. */
  readonly left: number;
  readonly top: number;
  readonly across: number;
  readonly down: number;
}

/** Channels and bit depths of each colour type (PNG specification, table 11.1). */
const COLOUR_TYPES: Readonly<Record<number, { readonly channels: number; readonly depths: readonly number[] }>> = {
  0: { channels: 1, depths: [1, 2, 4, 8, 16] },
  2: { channels: 3, depths: [8, 16] },
  3: { channels: 1, depths: [1, 2, 4, 8] },
  4: { channels: 2, depths: [8, 16] },
  6: { channels: 4, depths: [8, 16] }
};

const PALETTE = 3;

/** Adam7: first column and row of each pass, and the distances between its columns and rows. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2]
] as const;

/** The largest side that the format has room for. */
const LARGEST_SIDE = 2 ** 31 - 1;

/** The last of the five filters. */
const LAST_FILTER = 4;

/**
 * Reads the content of an IHDR chunk.
 * @returns a predicate about the image instead when it is not valid
 */
export function readHeader(data: Uint8Array): PngHeader | string {
  if (data.length !== 13) return 'its header has the wrong length';
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  if (width < 1 || height < 1 || width > LARGEST_SIDE || height > LARGEST_SIDE) return 'its size is impossible';
  const [depth, type, compression, filter, interlace] = data.subarray(8);
  const colour = COLOUR_TYPES[type ?? -1];
  if (depth === undefined || !colour?.depths.includes(depth)) return 'its kind of pixels does not exist';
  if (compression !== 0 || filter !== 0) return 'it is compressed in an unknown way';
  if (interlace !== 0 && interlace !== 1) return 'its lines are in an unknown order';
  return {
    width,
    height,
    bitsPerPixel: colour.channels * depth,
    channels: colour.channels,
    isInterlaced: interlace === 1,
    needsPalette: type === PALETTE
  };
}

/** How many bytes the decompressed image data has: for each line one byte for its filter, then its pixels. */
export function scanlineBytes(header: PngHeader): number {
  return passes(header).reduce((sum, pass) => sum + pass.height * lineBytes(header, pass), 0);
}

/**
 * What is wrong with the decompressed image data, as a predicate about the image.
 * @param raw of exactly {@link scanlineBytes}
 */
export function scanlineProblem(header: PngHeader, raw: Uint8Array): string | undefined {
  let at = 0;
  for (const pass of passes(header)) {
    const step = lineBytes(header, pass);
    for (let line = 0; line < pass.height; line += 1, at += step) {
      if ((raw[at] ?? 0) > LAST_FILTER) return 'one of its lines has an unknown filter';
    }
  }
  return undefined;
}

/** The parts of an image in the order of their lines. */
export function passes({ width, height, isInterlaced }: PngHeader): Pass[] {
  if (!isInterlaced) return [{ width, height, left: 0, top: 0, across: 1, down: 1 }];
  return ADAM7.map(([left, top, across, down]) => ({
    width: Math.ceil((width - left) / across),
    height: Math.ceil((height - top) / down),
    left,
    top,
    across,
    down
  })).filter((pass) => pass.width > 0 && pass.height > 0);
}

/** Bytes of a line: one for its filter, then its pixels. */
export function lineBytes({ bitsPerPixel }: PngHeader, { width }: Pass): number {
  return 1 + Math.ceil((width * bitsPerPixel) / 8);
}
