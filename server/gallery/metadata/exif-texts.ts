import type { Buffer } from 'node:buffer';
import {
  directoryAt,
  type ExifBlock,
  type ExifEntry,
  exifBytes,
  exifNumber32,
  firstDirectory,
  openExif
} from './exif-block';
import { decodeText, type TextCollection } from './text-collection';

/** A pointer to the directory that holds the user comment. */
const EXIF_DIRECTORY = 0x8769;
const USER_COMMENT = 0x9286;
const ASCII = 2;

/**
 * Reads the texts of EXIF: A1111 writes its parameters into the user comment, ComfyUI `prompt:{…}` and
 * `workflow:{…}` into texts of the first directory. What points outside the block is passed over.
 */
export function takeExifTexts(data: Buffer, texts: TextCollection): void {
  const block = openExif(data);
  if (!block) return;
  for (const entry of firstDirectory(block)) {
    if (entry.tag === EXIF_DIRECTORY) takeUserComment(block, entry, texts);
    if (entry.type === ASCII) takeGraph(exifBytes(block, entry), texts);
  }
}

function takeUserComment(block: ExifBlock, pointer: ExifEntry, texts: TextCollection): void {
  for (const entry of directoryAt(block, exifNumber32(block, pointer.field))) {
    if (entry.tag === USER_COMMENT) texts.offer('parameters', () => userComment(exifBytes(block, entry)));
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
