import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { receivedImage } from '../../../../server/engine/inputs/received-image';
import { Failure } from '../../../../shared/failure';
import { exifOfCamera, shownJpeg } from '../../gallery/metadata-bytes';
import { chunk, end, header, pixels, png, soundPng } from '../../gallery/png-bytes';

const IMAGES = join(__dirname, '..', '..', '..', 'fixtures', 'sd-cli', 'images');
const JPEG = readFileSync(join(IMAGES, 'in.jpg'));
const WEBP = readFileSync(join(IMAGES, 'in.webp'));

/** What an image is refused with; undefined when it is taken. */
function refusal(bytes: Uint8Array): string | undefined {
  try {
    receivedImage(bytes);
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.code).toBe('bad-image');
    return error.message;
  }
}

/** A JPEG of one frame and one scan. */
function jpeg({ marker = 0xc0, depth = 8, channels = 3, height = 16 } = {}): Buffer {
  const frame = [depth, height >> 8, height & 255, 0, 32, channels];
  for (let channel = 1; channel <= channels; channel += 1) frame.push(channel, 0x11, 0);
  const scan = [0xff, 0xda, 0, 2, 1, 2, 0xff, 0, 3, 0xff, 0xd0, 4];
  return Buffer.from([0xff, 0xd8, 0xff, marker, 0, frame.length + 2, ...frame, ...scan, 0xff, 0xd9]);
}

/** One that libraries write for 2 × 2 pixels, with chosen chunks. */
function webp(...chunks: readonly (readonly [name: string, data: readonly number[]])[]): Buffer {
  const body = chunks.map(([name, data]) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(data.length);
    return Buffer.concat([Buffer.from(name), length, Buffer.from(data), Buffer.alloc(data.length % 2)]);
  });
  const file = Buffer.concat([Buffer.from('RIFF0000WEBP'), ...body]);
  file.writeUInt32LE(file.length - 8, 4);
  return file;
}

const LOSSLESS = [0x2f, 1, 0x40, 0, 0];
const canvas = (flags: number, side = 2): number[] => [flags, 0, 0, 0, side - 1, 0, 0, side - 1, 0, 0];

function bitmap({ width = 2, height = 2, depth = 24, compression = 0 } = {}): Buffer {
  const bytes = Buffer.alloc(54 + Math.ceil((Math.abs(width) * depth) / 32) * 4 * Math.abs(height));
  bytes.write('BM');
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(depth, 28);
  bytes.writeUInt32LE(compression, 30);
  return bytes;
}

/** A bit that is another, somewhere in a file. */
const anyChange = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), bit: fc.nat(7) });

function flipped(whole: Uint8Array, changes: readonly { readonly at: number; readonly bit: number }[]): Buffer {
  const bytes = Buffer.from(whole);
  for (const { at, bit } of changes) {
    const index = Math.floor(at * bytes.length);
    bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
  }
  return bytes;
}

describe('an input image that the engine reads', () => {
  it.each([
    ['a PNG', soundPng(), { extension: '.png', width: 3, height: 2 }],
    ['a recorded JPEG', JPEG, { extension: '.jpg', width: 128, height: 128 }],
    ['a JPEG with something behind it', Buffer.concat([JPEG, Buffer.from('more')]), { extension: '.jpg', width: 128 }],
    ['a progressive JPEG', jpeg({ marker: 0xc2 }), { extension: '.jpg', width: 32, height: 16 }],
    ['a JPEG with four channels', jpeg({ channels: 4 }), { extension: '.jpg' }],
    ['a recorded WEBP', WEBP, { extension: '.webp', width: 128, height: 128 }],
    ['a lossless WEBP', webp(['VP8L', LOSSLESS]), { extension: '.webp', width: 2, height: 2 }],
    ['a WEBP with a header', webp(['VP8X', canvas(0)], ['ICCP', [1]], ['VP8L', LOSSLESS]), { width: 2, height: 2 }],
    ['a bitmap', bitmap(), { extension: '.bmp', width: 2, height: 2 }],
    ['a bitmap from the top', bitmap({ height: -3, depth: 8 }), { extension: '.bmp', width: 2, height: 3 }]
  ])('is taken as it is: %s', (_, bytes, expected) => {
    const image = receivedImage(bytes);
    expect(image).toMatchObject(expected);
    expect(image.bytes).toBe(bytes);
  });
});

describe('a JPEG that says how it is to be shown', () => {
  it.each(['little', 'big'] as const)('tells it, and has the size of its stored pixels (%s-endian)', (order) => {
    const turned = shownJpeg(jpeg(), exifOfCamera(6, { order }));
    expect(receivedImage(turned)).toMatchObject({ width: 32, height: 16, orientation: 6 });
  });

  it.each([
    ['as it is stored', exifOfCamera(1)],
    ['in a way that does not exist', exifOfCamera(9)],
    ['in no way', exifOfCamera(0)],
    ['by a number of another kind', exifOfCamera(6, { type: 4 })],
    ['by several numbers', exifOfCamera(6, { count: 2 })],
    ['in a directory that is cut off', exifOfCamera(6).subarray(0, 40)],
    ['outside of its data', Buffer.from('MM\0*\xff\xff\xff\xff', 'latin1')],
    ['behind more entries than a camera writes', exifOfCamera(6, { before: 1000 })],
    ['in no order of bytes', Buffer.from('XX*\0\x08\0\0\0', 'latin1')],
    ['with nothing', Buffer.alloc(0)]
  ])('is taken as it is stored when it says it %s', (_, exif) => {
    expect(receivedImage(shownJpeg(jpeg(), exif))).not.toHaveProperty('orientation');
  });

  it('is heeded as browsers do: by the first segment that says it, before the pixels are over', () => {
    const twice = shownJpeg(shownJpeg(jpeg(), exifOfCamera(3)), exifOfCamera(8));
    expect(receivedImage(twice)).toMatchObject({ orientation: 8 });
    const behind = Buffer.concat([jpeg(), shownJpeg(jpeg(), exifOfCamera(3)).subarray(2)]);
    expect(receivedImage(behind)).not.toHaveProperty('orientation');
  });

  it('is taken whatever becomes of these data, and shown in one of seven other ways at most', () => {
    const start = fc.tuple(fc.integer({ min: 0, max: 10 }), fc.constantFrom('big', 'little'), fc.nat(250));
    const property = fc.property(start, fc.array(anyChange, { maxLength: 8 }), ([value, order, before], changes) => {
      const exif = flipped(exifOfCamera(value, { order, before }), changes);
      const { orientation = 1, width } = receivedImage(shownJpeg(jpeg(), exif));
      expect(width).toBe(32);
      expect([1, 2, 3, 4, 5, 6, 7, 8]).toContain(orientation);
      if (changes.length === 0 && value >= 1 && value <= 8 && before < 200) expect(orientation).toBe(value);
    });
    fc.assert(property, { numRuns: 3000, seed: 7 });
  });

  it('is taken with any bytes for these data', () => {
    const property = fc.property(
      fc.constantFrom('MM\0*', 'II*\0', ''),
      fc.uint8Array({ maxLength: 60 }),
      (start, rest) => {
        const exif = Buffer.concat([Buffer.from(start, 'latin1'), rest]);
        expect(receivedImage(shownJpeg(jpeg(), exif)).width).toBe(32);
      }
    );
    fc.assert(property, { numRuns: 3000, seed: 7 });
  });
});

describe('an input image that the engine does not read', () => {
  it.each([
    ['a GIF', Buffer.from('GIF89a...'), /is a GIF, which the engine cannot read/],
    ['a TIFF', Buffer.from('II*\0....'), /is a TIFF/],
    ['an AVIF', Buffer.from('\0\0\0 ftypavif'), /AVIF or HEIC/],
    ['a JPEG XL', Buffer.from([0xff, 0x0a, 1, 2]), /JPEG XL/],
    ['a greyscale JPEG', jpeg({ channels: 1 }), /a greyscale JPEG/],
    ['a JPEG with 12 bits', jpeg({ marker: 0xc1, depth: 12 }), /12 bits a channel/],
    ['a lossless JPEG', jpeg({ marker: 0xc3 }), /a JPEG of a rare kind/],
    ['a JPEG that does not say how high it is', jpeg({ height: 0 }), /its size is impossible/],
    ['an animated WEBP', webp(['VP8X', canvas(2)], ['ANIM', [1, 2]]), /an animated WEBP/],
    ['a WEBP with two sizes', webp(['VP8X', canvas(0, 3)], ['VP8L', LOSSLESS]), /two sizes contradict/],
    ['a WEBP without pixels', webp(['VP8X', canvas(0)]), /it has no pixels/],
    ['a compressed bitmap', bitmap({ depth: 8, compression: 1 }), /a compressed bitmap/],
    ['an empty file', Buffer.alloc(0), /The image file is empty/],
    ['a text', Buffer.from('<!DOCTYPE html>'), /This is no image/],
    [
      'a bomb',
      png(header({ width: 8193, height: 8192 }), pixels(20), end),
      /8193 × 8192 pixels; 33554432 are possible/
    ],
    ['a PNG that is damaged', png(header(), pixels(19), end), /does not fill the image/],
    [
      'a PNG with a colour that its palette lacks',
      png(header({ colour: 3, depth: 1, width: 1, height: 1 }), chunk('PLTE', new Uint8Array(3)), onePixel(0x80), end),
      /not in its palette/
    ]
  ])('is refused in words: %s', (_, bytes, sentence) => {
    expect(refusal(bytes)).toMatch(sentence);
  });

  it.each([
    ['JPEG', JPEG],
    ['WEBP', WEBP],
    ['bitmap', bitmap({ width: 9, height: 9 })],
    ['PNG', soundPng('text')]
  ])('is every beginning of a %s', (_, whole) => {
    for (let length = 0; length < whole.length; length += 1) {
      expect(refusal(whole.subarray(0, length)), `${length} bytes`).toBeDefined();
    }
  });
});

describe('whatever the bytes are', () => {
  const anyStart = fc.constantFrom(
    JPEG,
    WEBP,
    bitmap(),
    soundPng('a'),
    jpeg(),
    webp(['VP8X', canvas(0)], ['VP8L', LOSSLESS])
  );
  it('they are taken or refused in words, however they were damaged', () => {
    const property = fc.property(
      anyStart,
      fc.array(anyChange, { minLength: 1, maxLength: 8 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (start, changes, share) => {
        refusal(flipped(start.subarray(0, Math.ceil(start.length * share)), changes));
      }
    );
    fc.assert(property, { numRuns: 3000, seed: 7 });
  });

  it('they are taken or refused in words, after any magic number', () => {
    const magic = fc.constantFrom('\xff\xd8\xff', 'RIFF\x20\0\0\0WEBPVP8 ', 'BM', '\x89PNG\r\n\x1a\n', '');
    const property = fc.property(magic, fc.uint8Array({ maxLength: 200 }), (start, rest) => {
      refusal(Buffer.concat([Buffer.from(start, 'latin1'), rest]));
    });
    fc.assert(property, { numRuns: 3000, seed: 7 });
  });
});

/** A line of one pixel. */
function onePixel(byte: number): Buffer {
  return chunk('IDAT', deflateSync(Buffer.from([0, byte])));
}
