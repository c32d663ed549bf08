import { deflateSync } from 'node:zlib';
import { chunk, end, header, pixels, png } from './png-bytes';

/** A PNG with a text chunk behind its pixels, as some programs write it. */
export function pngWith(keyword: string, text: string, type: 'tEXt' | 'zTXt' | 'iTXt' = 'tEXt'): Buffer {
  return png(header(), pixels(20), chunk(type, textData(keyword, text, type)), end);
}

/** What a text chunk of a kind holds; an iTXt is compressed. */
function textData(keyword: string, text: string, type: 'tEXt' | 'zTXt' | 'iTXt'): Buffer {
  const value = Buffer.from(text);
  if (type === 'tEXt') return Buffer.concat([Buffer.from(`${keyword}\0`, 'latin1'), value]);
  if (type === 'zTXt') return Buffer.concat([Buffer.from(`${keyword}\0\0`, 'latin1'), deflateSync(value)]);
  return Buffer.concat([Buffer.from(`${keyword}\0\x01\0en\0\0`, 'latin1'), deflateSync(value)]);
}

/** A segment of a JPEG. */
export function segment(marker: number, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(4 + data.length);
  bytes.set([0xff, marker]);
  bytes.writeUInt16BE(data.length + 2, 2);
  bytes.set(data, 4);
  return bytes;
}

export function jpeg(...segments: readonly Uint8Array[]): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xd8]), ...segments, Buffer.from([0xff, 0xda, 0, 2, 0xff, 0xd9])]);
}

/** A WEBP of these chunks, without pixels. */
export function webp(...chunks: readonly { readonly type: string; readonly data: Uint8Array }[]): Buffer {
  const parts = chunks.map(({ type, data }) => {
    const head = Buffer.alloc(8);
    head.write(type, 'latin1');
    head.writeUInt32LE(data.length, 4);
    return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
  });
  const body = Buffer.concat([Buffer.from('WEBP', 'latin1'), ...parts]);
  const riff = Buffer.alloc(8);
  riff.write('RIFF', 'latin1');
  riff.writeUInt32LE(body.length, 4);
  return Buffer.concat([riff, body]);
}

/** EXIF as A1111 writes it: a user comment of UTF-16, big-endian as its library has it. */
export function exifComment(text: string, order: 'big' | 'little' = 'big'): Buffer {
  const utf16 = Buffer.from(text, 'utf16le');
  if (order === 'big') utf16.swap16();
  const value = Buffer.concat([Buffer.from('UNICODE\0', 'latin1'), utf16]);
  const head = Buffer.alloc(44);
  head.write('MM\0*', 'latin1');
  head.writeUInt32BE(8, 4);
  head.writeUInt16BE(1, 8);
  directoryEntry(head, 10, { tag: 0x8769, type: 4, count: 1, value: 26 });
  head.writeUInt16BE(1, 26);
  directoryEntry(head, 28, { tag: 0x9286, type: 7, count: value.length, value: 44 });
  return Buffer.concat([head, value]);
}

/** EXIF as ComfyUI writes it into a WEBP: texts of the first directory that say which they are. */
export function exifGraph(text: string): Buffer {
  const value = Buffer.from(`${text}\0`);
  const head = Buffer.alloc(26);
  head.write('MM\0*', 'latin1');
  head.writeUInt32BE(8, 4);
  head.writeUInt16BE(1, 8);
  directoryEntry(head, 10, { tag: 0x0110, type: 2, count: value.length, value: 26 });
  return Buffer.concat([head, value]);
}

/** What {@link exifOfCamera} may have in another way than cameras write it. */
export interface CameraExif {
  readonly order?: 'big' | 'little';
  readonly type?: number;
  readonly count?: number;
  /** Other entries before that of the orientation. */
  readonly before?: number;
}

/** EXIF as cameras write it: how the image is to be shown, among other entries of the first directory. */
export function exifOfCamera(
  orientation: number,
  { order = 'little', type = 3, count = 1, before = 2 }: CameraExif = {}
): Buffer {
  const entries = [
    ...Array.from({ length: before }, (_, tag) => [0xa000 + tag, 3, 1, 7]),
    [0x0112, type, count, orientation]
  ];
  const bytes = Buffer.alloc(8 + 2 + 12 * entries.length + 4);
  bytes.write(order === 'big' ? 'MM\0*' : 'II*\0', 'latin1');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isLittleEndian = order === 'little';
  view.setUint32(4, 8, isLittleEndian);
  view.setUint16(8, entries.length, isLittleEndian);
  for (const [index, [tag = 0, kind = 0, values = 0, value = 0]] of entries.entries()) {
    const at = 10 + index * 12;
    view.setUint16(at, tag, isLittleEndian);
    view.setUint16(at + 2, kind, isLittleEndian);
    view.setUint32(at + 4, values, isLittleEndian);
    view.setUint16(at + 8, value, isLittleEndian);
  }
  return bytes;
}

/** A JPEG that says how it is to be shown. */
export function shownJpeg(image: Buffer, exif: Uint8Array): Buffer {
  const data = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exif]);
  return Buffer.concat([image.subarray(0, 2), segment(0xe1, data), image.subarray(2)]);
}

function directoryEntry(
  bytes: Buffer,
  at: number,
  { tag, type, count, value }: { tag: number; type: number; count: number; value: number }
): void {
  bytes.writeUInt16BE(tag, at);
  bytes.writeUInt16BE(type, at + 2);
  bytes.writeUInt32BE(count, at + 4);
  bytes.writeUInt32BE(value, at + 8);
}
