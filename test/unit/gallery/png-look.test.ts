import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { array, assert, nat, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unfilter } from '../../../server/gallery/png/png-filters';
import { examinePng } from '../../../server/gallery/png/png-look';
import { chunk, end, header, png } from './png-bytes';

const SIDE = 64;

/** How an RGB image looks whose pixels a function gives. */
function lookOf(pixel: (x: number, y: number) => readonly [number, number, number], side = SIDE) {
  const lines = Array.from({ length: side }, (_, y) => [
    0,
    ...Array.from({ length: side }, (_0, x) => pixel(x, y)).flat()
  ]);
  const data = chunk('IDAT', deflateSync(Buffer.from(lines.flat())));
  return examinePng(png(header({ colour: 2, width: side, height: side }), data, end)).look;
}

/** The same numbers in every run. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state >>> 24;
  };
}

describe('an image at a glance', () => {
  it.each([
    ['black', [0, 0, 0]],
    ['black', [2, 0, 1]],
    ['white', [255, 255, 255]],
    ['grey', [128, 128, 128]],
    ['coloured', [128, 0, 128]]
  ] as const)('is all %s', (colour, pixel) => {
    expect(lookOf(() => pixel)).toEqual({ kind: 'plain', colour });
  });

  it('is all grey when real weights of nothing but zeros made it', () => {
    const recorded = readFileSync(join(__dirname, '..', '..', 'fixtures', 'engine', 'embedding', 'out.png'));
    expect(examinePng(recorded).look).toEqual({ kind: 'plain', colour: 'grey' });
  });

  it('is noise when its pixels have nothing to do with each other', () => {
    const next = chance(7);
    expect(lookOf(() => [next(), next(), next()])).toEqual({ kind: 'noise' });
  });

  it('is not called noise when it is small', () => {
    const next = chance(7);
    expect(lookOf(() => [next(), next(), next()], 16)).toEqual({ kind: 'picture' });
  });

  it.each<[string, (x: number, y: number) => number]>([
    ['a slope', (x) => 2 * x],
    ['a dark night with one star', (x, y) => (x === 9 && y === 9 ? 255 : 1)],
    ['stripes', (x) => (x % 2) * 255],
    ['a chess board', (x, y) => ((x + y) % 2) * 255],
    ['low contrast', (x, y) => 100 + Math.round(3 * Math.sin(x / 5) + 3 * Math.cos(y / 7))]
  ])('is a picture: %s', (_, level) => {
    expect(lookOf((x, y) => [level(x, y), level(x, y), level(x, y)])).toEqual({ kind: 'picture' });
  });

  it('of the real engine is a picture', () => {
    const recorded = readFileSync(join(__dirname, '..', '..', 'fixtures', 'engine', 'txt2img-split-vae', 'out.png'));
    expect(examinePng(recorded).look).toEqual({ kind: 'picture' });
  });

  it('is left alone when its pixels are of a kind that engines do not write', () => {
    const data = chunk('IDAT', deflateSync(Buffer.alloc(2 * 13)));
    expect(examinePng(png(header({ colour: 4, depth: 16 }), data, end)).look).toEqual({ kind: 'unjudged' });
  });
});

/** Puts a filter on each line, as encoders do. */
function filtered(lines: readonly (readonly number[])[], filters: readonly number[], distance: number): Uint8Array {
  const before = (line: readonly number[], at: number) => (at < distance ? 0 : line[at - distance]!);
  return Uint8Array.from(
    lines.flatMap((line, y) => {
      const above = lines[y - 1] ?? line.map(() => 0);
      const filter = filters[y]!;
      const predict = (at: number): number => {
        const [a, b, c] = [before(line, at), above[at]!, before(above, at)];
        const p = a + b - c;
        const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
        return [0, a, b, Math.floor((a + b) / 2), pa <= pb && pa <= pc ? a : pb <= pc ? b : c][filter]!;
      };
      return [filter, ...line.map((value, at) => (value - predict(at) + 256) % 256)];
    })
  );
}

describe('filters of lines', () => {
  it('come off again, whichever they are', () => {
    const width = 5;
    const image = tuple(
      array(array(nat(255), { minLength: width * 3, maxLength: width * 3 }), { minLength: 1, maxLength: 6 }),
      array(nat(4), { minLength: 6, maxLength: 6 })
    );
    assert(
      property(image, ([lines, filters]) => {
        const raw = filtered(lines, filters, 3);
        unfilter(raw, { step: 1 + width * 3, distance: 3 });
        const step = 1 + width * 3;
        for (const [y, line] of lines.entries()) expect([...raw.subarray(y * step + 1, (y + 1) * step)]).toEqual(line);
      })
    );
  });
});
