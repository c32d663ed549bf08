import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readPng } from '../../../server/gallery/png/png';
import { Failure } from '../../../shared/failure';
import { chunk, end, type Header, header, pixels, png, soundPng } from './png-bytes';

const recorded = (name: string) => readFileSync(join(__dirname, '..', '..', 'fixtures', 'engine', name, 'out.png'));

function problemOf(bytes: Uint8Array): string {
  try {
    readPng(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect(error).toMatchObject({ code: 'bad-image' });
    return (error as Failure).message;
  }
  throw new Error('the image was taken');
}

describe('a sound PNG', () => {
  it('of the real engine is read with its parameters', () => {
    const { width, height, parameters } = readPng(recorded('txt2img-split-vae'));
    expect([width, height]).toEqual([64, 64]);
    expect(parameters).toMatch(/^a red lighthouse, oil painting\n/);
  });

  it('without parameters has none', () => {
    expect(readPng(soundPng('text'))).toEqual({ width: 3, height: 2 });
  });

  it('has parameters in UTF-8', () => {
    const text = chunk('tEXt', Buffer.from('parameters\0灯台'));
    expect(readPng(png(header(), text, pixels(20), end)).parameters).toBe('灯台');
  });

  it.each<[Header, number]>([
    [{ colour: 0, depth: 1, width: 9 }, 2 * 3],
    [{ colour: 4, depth: 16 }, 2 * 13],
    [{ colour: 6 }, 2 * 13],
    [{ colour: 2, interlace: 1, width: 8, height: 8 }, 15 + 8 * 24 - 0],
    [{ colour: 2, interlace: 1, width: 1, height: 1 }, 4]
  ])('may have any kind of pixels: %j', (fields, rawBytes) => {
    expect(() => readPng(png(header(fields), pixels(rawBytes), end))).not.toThrow();
  });

  it('may have a palette and its data in pieces', () => {
    const data = deflateSync(Buffer.alloc(8));
    const pieces = [
      chunk('IDAT', data.subarray(0, 3)),
      chunk('IDAT', new Uint8Array()),
      chunk('IDAT', data.subarray(3))
    ];
    const bytes = png(header({ colour: 3 }), chunk('PLTE', new Uint8Array(3)), ...pieces, end);
    expect(readPng(bytes)).toEqual({ width: 3, height: 2 });
  });

  it('may lie anywhere in a larger buffer', () => {
    const larger = Buffer.concat([Buffer.from('before'), soundPng(), Buffer.from('after')]);
    expect(readPng(larger.subarray(6, -5)).width).toBe(3);
  });
});

describe('a damaged PNG is refused', () => {
  it('when a full disk cut it off', () => {
    expect(problemOf(recorded('disk-full'))).toBe('The image is damaged: it is cut off.');
  });

  it('wherever it is cut', () => {
    const whole = recorded('txt2img-split-vae');
    for (let length = 0; length < whole.length; length += 1) problemOf(whole.subarray(0, length));
  });

  it('whichever byte is changed', () => {
    const whole = recorded('txt2img-split-vae');
    for (let at = 0; at < whole.length; at += 1) {
      const changed = Buffer.from(whole);
      changed[at] = changed[at]! ^ 0x20;
      problemOf(changed);
    }
  });

  it.each([
    ['is empty', Buffer.alloc(0), 'it does not begin like a PNG'],
    ['is a web page', Buffer.from('<!doctype html>'), 'it does not begin like a PNG'],
    ['has no header', png(pixels(20), end), 'it does not begin with a header'],
    ['has two headers', png(header(), header(), pixels(20), end), 'it has two headers'],
    ['has no data', png(header(), end), 'it has no image data'],
    ['has no end', png(header(), pixels(20)), 'it is cut off'],
    ['goes on behind its end', png(header(), pixels(20), end, Buffer.from('x')), 'there are bytes after its end'],
    [
      'has a wrong check sum',
      png(header(), chunk('tEXt', Buffer.from('a'), 1), pixels(20), end),
      'the check sum of its tEXt chunk is wrong'
    ],
    [
      'has an unknown chunk it needs',
      png(header(), chunk('ABCD', new Uint8Array()), pixels(20), end),
      'it needs the unknown chunk ABCD'
    ],
    [
      'has a chunk without a name',
      png(header(), chunk('a\0 b', new Uint8Array()), pixels(20), end),
      'it has a chunk without a valid name'
    ],
    [
      'has interrupted data',
      png(header(), pixels(20), chunk('tEXt', Buffer.from('a')), pixels(20), end),
      'its image data is interrupted'
    ],
    ['has no palette', png(header({ colour: 3 }), pixels(8), end), 'it has no palette'],
    [
      'has its palette too late',
      png(header(), pixels(20), chunk('PLTE', new Uint8Array(3)), end),
      'its palette is out of place'
    ],
    ['has no width', png(header({ width: 0 }), pixels(20), end), 'its size is impossible'],
    ['has an impossible height', png(header({ height: 0x80000000 }), pixels(20), end), 'its size is impossible'],
    [
      'has impossible pixels',
      png(header({ colour: 2, depth: 4 }), pixels(20), end),
      'its kind of pixels does not exist'
    ],
    ['has an unknown kind of pixels', png(header({ colour: 5 }), pixels(20), end), 'its kind of pixels does not exist'],
    ['is compressed otherwise', png(header({ compression: 1 }), pixels(20), end), 'it is compressed in an unknown way'],
    ['has too little data', png(header(), pixels(19), end), 'its image data does not fill the image exactly'],
    ['has an unknown filter', png(header(), pixels(20, 5), end), 'one of its lines has an unknown filter']
  ])('when it %s', (_, bytes, reason) => {
    expect(problemOf(bytes)).toBe(`The image is damaged: ${reason}.`);
  });

  it('when it has more pixels than are decoded, although nothing is wrong with it', () => {
    const bytes = png(header({ width: 8193, height: 8192 }), pixels(20), end);
    expect(problemOf(bytes)).toBe('The image has 8193 × 8192 pixels; 67108864 are possible.');
  });

  it('when its data inflates to more than the image holds', () => {
    expect(problemOf(png(header(), pixels(21), end))).toContain('does not fill the image exactly');
    const bomb = png(header(), pixels(50_000_000), end);
    expect(bomb.length).toBeLessThan(100_000);
    expect(problemOf(bomb)).toContain('cannot be decompressed');
  });
});
