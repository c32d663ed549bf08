import { Buffer } from 'node:buffer';
import { crc32, deflateSync } from 'node:zlib';
import { Failure } from '../../../shared/failure';
import type { DecodedPng } from './png';
import { unfilter } from './png-filters';
import { lineBytes, type Pass, passes } from './png-scanlines';

/** Whether an image is stored as most are: RGB of 8 bits, with or without how opaque it is, line after line. */
export function isPlainColour({ header }: DecodedPng): boolean {
  const { channels, bitsPerPixel, isInterlaced } = header;
  return channels >= 3 && bitsPerPixel === channels * 8 && !isInterlaced;
}

/**
 * The same picture as a PNG of 8-bit RGB: grey becomes colour, 16 bits become 8, and how opaque a pixel is gets lost,
 * as in the engine. Takes the filters off `raw` in place.
 * @throws Failure 'bad-image' when a pixel has a colour that the palette lacks
 */
export function rgbPng(image: DecodedPng): Uint8Array {
  const { width, height } = image.header;
  const step = 1 + width * 3;
  const target = Buffer.alloc(step * height);
  let at = 0;
  for (const pass of passes(image.header)) {
    const bytes = lineBytes(image.header, pass);
    const lines = image.raw.subarray(at, at + bytes * pass.height);
    unfilter(lines, { step: bytes, distance: Math.max(1, image.header.bitsPerPixel >> 3) });
    for (let row = 0; row < pass.height; row += 1) {
      const y = pass.top + row * pass.down;
      paintLine(image, lines.subarray(row * bytes + 1, (row + 1) * bytes), {
        pass,
        target: target.subarray(y * step + 1)
      });
    }
    at += bytes * pass.height;
  }
  return pngFile(width, height, target);
}

function paintLine(
  { header, palette }: DecodedPng,
  line: Uint8Array,
  { pass, target }: { readonly pass: Pass; readonly target: Uint8Array }
): void {
  const sample = samples(line, header.bitsPerPixel / header.channels, palette.length > 0);
  for (let column = 0; column < pass.width; column += 1) {
    const at = (pass.left + column * pass.across) * 3;
    const first = sample(column * header.channels);
    if (header.needsPalette) {
      if (first * 3 + 2 >= palette.length) throw new Failure('bad-image', BEYOND_PALETTE);
      target.set(palette.subarray(first * 3, first * 3 + 3), at);
      continue;
    }
    const isGrey = header.channels < 3;
    target[at] = first;
    target[at + 1] = isGrey ? first : sample(column * header.channels + 1);
    target[at + 2] = isGrey ? first : sample(column * header.channels + 2);
  }
}

const BEYOND_PALETTE = 'The image is damaged: it has a colour that is not in its palette.';

/** Reads the samples of a line by their index: as 8 bits, or as they are where they mean colours of a palette. */
function samples(line: Uint8Array, depth: number, areIndices: boolean): (index: number) => number {
  if (depth === 8) return (index) => line[index] ?? 0;
  // The high byte comes first.
  if (depth === 16) return (index) => line[index * 2] ?? 0;
  const most = 2 ** depth - 1;
  const scale = areIndices ? 1 : 255 / most;
  return (index) => {
    const bit = index * depth;
    return (((line[bit >> 3] ?? 0) >> (8 - depth - (bit & 7))) & most) * scale;
  };
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** 8 bits of RGB, compressed and filtered as there is no other way, not interlaced. */
const RGB = [8, 2, 0, 0, 0];

function pngFile(width: number, height: number, lines: Uint8Array): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(RGB, 8);
  // It lives as long as a run: quick matters more than small.
  const data = deflateSync(lines, { level: 1 });
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}
