import type { Buffer } from 'node:buffer';
import type { ByteSource } from './byte-source';
import { beginsAsExif } from './exif-block';
import { takeExifTexts } from './exif-texts';
import { decodeText, type TextCollection } from './text-collection';

const COMMENT = 0xfe;
const APP1 = 0xe1;

/** From here on there are pixels, or nothing. */
const LAST_MARKERS = new Set([0xd9, 0xda]);

/** Segments that are looked at; each has at most 64 KiB. */
const MOST_SEGMENTS = 2000;

/** How sd-cli begins the comment that holds its text. */
const PARAMETERS = 'parameters\0';

/** Reads the texts of a JPEG: sd-cli writes a comment, A1111 the user comment of EXIF. */
export async function readJpegTexts(source: ByteSource, texts: TextCollection): Promise<void> {
  let at = 2;
  for (let count = 0; count < MOST_SEGMENTS; count += 1) {
    const head = await source.read(at, 4);
    if (head.length < 4 || head[0] !== 0xff) return;
    const marker = head[1] ?? 0;
    if (LAST_MARKERS.has(marker)) return;
    // A marker may be preceded by any number of filling bytes.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const length = head.readUInt16BE(2);
    if (length < 2) return;
    if (marker === COMMENT || marker === APP1) takeSegment(marker, await source.read(at + 4, length - 2), texts);
    at += 2 + length;
  }
}

function takeSegment(marker: number, data: Buffer, texts: TextCollection): void {
  if (marker === APP1 && beginsAsExif(data)) takeExifTexts(data, texts);
  if (marker === COMMENT && data.toString('latin1', 0, PARAMETERS.length) === PARAMETERS) {
    texts.offer('parameters', () => decodeText(data.subarray(PARAMETERS.length)).replace(/\0+$/, ''));
  }
}
