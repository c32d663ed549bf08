import type { Buffer } from 'node:buffer';
import { decodeText, type TextCollection } from './text-collection';

/** A pointer to the directory that holds the user comment. */
const EXIF_DIRECTORY = 0x8769;
const USER_COMMENT = 0x9286;
const ASCII = 2;

/** Entries of a directory that are looked at. */
const MOST_ENTRIES = 200;

/** A block of EXIF, which is laid out like a TIFF file. */
interface Tiff {
  readonly bytes: Buffer;
  readonly isLittleEndian: boolean;
}

interface Entry {
  readonly tag: number;
  readonly type: number;
  /** Number of values; of a text, its bytes. */
  readonly count: number;
  /** Offset of the field that holds the value, or the offset of a value of more than four bytes. */
  readonly field: number;
}

/**
 * Reads the texts of EXIF: A1111 writes its parameters into the user comment, ComfyUI `prompt:{…}` and
 * `workflow:{…}` into texts of the first directory. What points outside the block is passed over.
 */
export function takeExifTexts(block: Buffer, texts: TextCollection): void {
  const hasPrefix = block.toString('latin1', 0, 6) === 'Exif\0\0';
  const bytes = hasPrefix ? block.subarray(6) : block;
  const order = bytes.toString('latin1', 0, 2);
  if (bytes.length < 8 || (order !== 'II' && order !== 'MM')) return;
  const tiff: Tiff = { bytes, isLittleEndian: order === 'II' };
  for (const entry of entriesAt(tiff, number32(tiff, 4))) {
    if (entry.tag === EXIF_DIRECTORY) takeUserComment(tiff, entry, texts);
    if (entry.type === ASCII) takeGraph(valueOf(tiff, entry), texts);
  }
}

function takeUserComment(tiff: Tiff, pointer: Entry, texts: TextCollection): void {
  for (const entry of entriesAt(tiff, number32(tiff, pointer.field))) {
    if (entry.tag === USER_COMMENT) texts.offer('parameters', () => userComment(valueOf(tiff, entry)));
  }
}

function takeGraph(value: Buffer | undefined, texts: TextCollection): void {
  const [, keyword = '', text = ''] =
    /^(prompt|workflow):(.*)$/s.exec(value ? decodeText(value).replace(/\0+$/, '') : '') ?? [];
  texts.offer(keyword, () => text);
}

/** Eight bytes name the encoding. */
function userComment(value: Buffer | undefined): string | undefined {
  if (!value) return undefined;
  const [encoding, text] = [value.toString('latin1', 0, 8), value.subarray(8)];
  if (encoding === 'UNICODE\0') return utf16(text);
  return encoding === 'ASCII\0\0\0' || encoding === '\0\0\0\0\0\0\0\0' ? decodeText(text) : undefined;
}

/** Programs disagree on the order of its bytes. Most text has a zero in the more significant one. */
function utf16(bytes: Buffer): string {
  const even = bytes.subarray(0, bytes.length - (bytes.length % 2));
  let [first, second] = [0, 0];
  for (let at = 0; at < even.length; at += 2) {
    if (even[at] === 0) first += 1;
    if (even[at + 1] === 0) second += 1;
  }
  return new TextDecoder(first > second ? 'utf-16be' : 'utf-16le').decode(even);
}

function entriesAt(tiff: Tiff, offset: number | undefined): Entry[] {
  const count = offset === undefined ? undefined : number16(tiff, offset);
  if (offset === undefined || count === undefined) return [];
  const entries: Entry[] = [];
  for (let index = 0; index < Math.min(count, MOST_ENTRIES); index += 1) {
    const at = offset + 2 + index * 12;
    const [tag, type, values] = [number16(tiff, at), number16(tiff, at + 2), number32(tiff, at + 4)];
    if (tag === undefined || type === undefined || values === undefined) break;
    entries.push({ tag, type, count: values, field: at + 8 });
  }
  return entries;
}

/** The bytes of a text or of an undefined value: one byte each. */
function valueOf(tiff: Tiff, { count, field }: Entry): Buffer | undefined {
  const start = count <= 4 ? field : number32(tiff, field);
  if (start === undefined || start + count > tiff.bytes.length) return undefined;
  return tiff.bytes.subarray(start, start + count);
}

function number16({ bytes, isLittleEndian }: Tiff, offset: number): number | undefined {
  if (offset + 2 > bytes.length) return undefined;
  return isLittleEndian ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset);
}

function number32({ bytes, isLittleEndian }: Tiff, offset: number): number | undefined {
  if (offset + 4 > bytes.length) return undefined;
  return isLittleEndian ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
}
