import { Buffer } from 'node:buffer';

/** A block of EXIF, which is laid out like a TIFF file. */
export interface ExifBlock {
  readonly bytes: Buffer;
  readonly isLittleEndian: boolean;
}

/** An entry of a directory of EXIF. */
export interface ExifEntry {
  readonly tag: number;
  readonly type: number;
  /** Number of values; of a text, its bytes. */
  readonly count: number;
  /** Offset of the field that holds the value, or the offset of a value of more than four bytes. */
  readonly field: number;
}

const PREFIX = 'Exif\0\0';

/** Entries of a directory that are looked at. */
const MOST_ENTRIES = 200;

/** Whether bytes begin like the EXIF segment of a JPEG. */
export function beginsAsExif(bytes: Uint8Array): boolean {
  return bufferOf(bytes).toString('latin1', 0, PREFIX.length) === PREFIX;
}

/** Opens EXIF with or without the prefix that a JPEG has before it; undefined when it is none. */
export function openExif(data: Uint8Array): ExifBlock | undefined {
  const bytes = bufferOf(beginsAsExif(data) ? data.subarray(PREFIX.length) : data);
  const order = bytes.toString('latin1', 0, 2);
  if (bytes.length < 8 || (order !== 'II' && order !== 'MM')) return undefined;
  return { bytes, isLittleEndian: order === 'II' };
}

/** The entries of the directory that a block begins with. What points outside the block is passed over. */
export function firstDirectory(block: ExifBlock): ExifEntry[] {
  return directoryAt(block, exifNumber32(block, 4));
}

/** The entries of the directory at an offset; none where there is no directory. */
export function directoryAt(block: ExifBlock, offset: number | undefined): ExifEntry[] {
  const count = offset === undefined ? undefined : exifNumber16(block, offset);
  if (offset === undefined || count === undefined) return [];
  const entries: ExifEntry[] = [];
  for (let index = 0; index < Math.min(count, MOST_ENTRIES); index += 1) {
    const at = offset + 2 + index * 12;
    const [tag, type, values] = [exifNumber16(block, at), exifNumber16(block, at + 2), exifNumber32(block, at + 4)];
    if (tag === undefined || type === undefined || values === undefined) break;
    entries.push({ tag, type, count: values, field: at + 8 });
  }
  return entries;
}

/** The bytes of a text or of an undefined value: one byte each; undefined when they lie outside the block. */
export function exifBytes(block: ExifBlock, { count, field }: ExifEntry): Buffer | undefined {
  const start = count <= 4 ? field : exifNumber32(block, field);
  if (start === undefined || start + count > block.bytes.length) return undefined;
  return block.bytes.subarray(start, start + count);
}

/** An unsigned number of two bytes at an offset; undefined outside the block. */
export function exifNumber16({ bytes, isLittleEndian }: ExifBlock, offset: number): number | undefined {
  if (offset + 2 > bytes.length) return undefined;
  return isLittleEndian ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset);
}

/** An unsigned number of four bytes at an offset; undefined outside the block. */
export function exifNumber32({ bytes, isLittleEndian }: ExifBlock, offset: number): number | undefined {
  if (offset + 4 > bytes.length) return undefined;
  return isLittleEndian ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
