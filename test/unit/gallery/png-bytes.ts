import { crc32, deflateSync } from 'node:zlib';

/** One chunk of a PNG; the check sum can be given wrong. */
export function chunk(type: string, data: Uint8Array, checkSum?: number): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(checkSum ?? crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

export interface Header {
  readonly width?: number;
  readonly height?: number;
  readonly depth?: number;
  readonly colour?: number;
  readonly compression?: number;
  readonly interlace?: number;
}

export function header(fields: Header = {}): Buffer {
  const { width = 3, height = 2, depth = 8, colour = 2, compression = 0, interlace = 0 } = fields;
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width, 0);
  data.writeUInt32BE(height, 4);
  data.set([depth, colour, compression, 0, interlace], 8);
  return chunk('IHDR', data);
}

/** Scanlines of black pixels, compressed. */
export function pixels(rawBytes: number, filter = 0): Buffer {
  const raw = Buffer.alloc(rawBytes);
  raw[0] = filter;
  return chunk('IDAT', deflateSync(raw));
}

export const end = chunk('IEND', new Uint8Array());

export function png(...chunks: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), ...chunks]);
}

/** A sound image of 3 × 2 pixels whose bytes differ by its text. */
export function soundPng(text = ''): Buffer {
  return png(header(), chunk('tEXt', Buffer.from(`Comment\0${text}`)), pixels(20), end);
}
