import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePng } from '../../../server/gallery/png/png';
import { isPlainColour, rgbPng } from '../../../server/gallery/png/png-rgb';
import { chunk, end, header, png } from './png-bytes';

const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2]
] as const;

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly colour: number;
  readonly depth: number;
  readonly interlace: number;
  readonly filter: number;
  readonly seed: number;
}

/** The sample of a channel of a pixel: any number of so many bits. */
function sampleOf({ depth, seed }: Picture, x: number, y: number, channel: number): number {
  return (Math.imul(x * 31 + y * 17 + channel * 7 + seed, 2_654_435_761) >>> 8) % 2 ** depth;
}

const paletteColour = (index: number, channel: number): number => (index * 3 + channel * 50) % 256;

/** The lines of a part of the picture, filtered. */
function filteredLines(picture: Picture, columns: readonly number[], rows: readonly number[]): Buffer {
  const { depth, colour, filter } = picture;
  const channels = CHANNELS[colour]!;
  const distance = Math.max(1, (channels * depth) >> 3);
  const length = Math.ceil((columns.length * channels * depth) / 8);
  let before = Buffer.alloc(length);
  const lines = rows.map((y) => {
    let bits = '';
    for (const x of columns) {
      for (let channel = 0; channel < channels; channel += 1) {
        bits += sampleOf(picture, x, y, channel).toString(2).padStart(depth, '0');
      }
    }
    const line = Buffer.from(
      Array.from({ length }, (_, index) => Number.parseInt(bits.slice(index * 8, index * 8 + 8).padEnd(8, '0'), 2))
    );
    const out = line.map((byte, index) => {
      const a = line[index - distance] ?? 0;
      const b = before[index]!;
      const c = before[index - distance] ?? 0;
      const p = a + b - c;
      const nearest = [a, b, c].toSorted((one, other) => Math.abs(p - one) - Math.abs(p - other))[0]!;
      return byte - [0, a, b, Math.floor((a + b) / 2), nearest][filter]!;
    });
    before = line;
    return Buffer.concat([Buffer.from([filter]), out]);
  });
  return Buffer.concat(lines);
}

function encoded(picture: Picture): Buffer {
  const { width, height, colour, depth, interlace } = picture;
  const parts = interlace === 0 ? ([[0, 0, 1, 1]] as const) : ADAM7;
  const lines = parts.map(([left, top, across, down]) => {
    const columns = every(left, width, across);
    const rows = every(top, height, down);
    return columns.length === 0 ? Buffer.alloc(0) : filteredLines(picture, columns, rows);
  });
  const colours = Array.from({ length: 2 ** Math.min(depth, 8) * 3 }, (_, index) =>
    paletteColour(Math.floor(index / 3), index % 3)
  );
  const palette = colour === 3 ? [chunk('PLTE', Buffer.from(colours))] : [];
  const data = chunk('IDAT', deflateSync(Buffer.concat(lines)));
  return png(header({ width, height, colour, depth, interlace }), ...palette, data, end);
}

const every = (first: number, limit: number, step: number): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((limit - first) / step)) }, (_, index) => first + index * step);

/** What the picture looks like, without how opaque it is. */
function expectedPixels(picture: Picture): number[] {
  const { width, height, colour, depth } = picture;
  const shown = (x: number, y: number, channel: number): number => {
    if (colour === 3) return paletteColour(sampleOf(picture, x, y, 0), channel);
    const value = sampleOf(picture, x, y, colour === 0 || colour === 4 ? 0 : channel);
    return depth === 16 ? value >> 8 : (value * 255) / (2 ** depth - 1);
  };
  const found: number[] = [];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1)
      for (let channel = 0; channel < 3; channel += 1) found.push(shown(x, y, channel));
  }
  return found;
}

/** The pixels of an unfiltered PNG of 8-bit RGB. */
function pixelsOf(bytes: Uint8Array): number[] {
  const { header: made, raw } = decodePng(bytes, 1000);
  const step = 1 + made.width * 3;
  const lines = every(0, raw.length, step).map((at) => raw.subarray(at, at + step));
  expect(lines.every((line) => line[0] === 0)).toBe(true);
  return lines.flatMap((line) => [...line.subarray(1)]);
}

const anyKind = fc.constantFrom(
  ...[1, 2, 4, 8, 16].map((depth) => ({ colour: 0, depth })),
  ...[1, 2, 4, 8].map((depth) => ({ colour: 3, depth })),
  ...[8, 16].flatMap((depth) => [2, 4, 6].map((colour) => ({ colour, depth })))
);

describe('a PNG of any kind', () => {
  it('shows the same picture as a PNG of 8-bit RGB', () => {
    const property = fc.property(
      anyKind,
      fc.record({
        width: fc.integer({ min: 1, max: 19 }),
        height: fc.integer({ min: 1, max: 19 }),
        interlace: fc.nat(1),
        filter: fc.nat(4),
        seed: fc.nat(1000)
      }),
      (kind, rest) => {
        const picture = { ...kind, ...rest };
        const image = decodePng(encoded(picture), 1000);
        expect(isPlainColour(image)).toBe(picture.interlace === 0 && kind.depth === 8 && [2, 6].includes(kind.colour));
        const made = rgbPng(image);
        expect(isPlainColour(decodePng(made, 1000))).toBe(true);
        expect(pixelsOf(made)).toEqual(expectedPixels(picture));
      }
    );
    fc.assert(property, { numRuns: 400, seed: 5 });
  });
});
