import type { ByteSource } from './byte-source';
import { takeExifTexts } from './exif-texts';
import { decodeText, LONGEST_TEXT_BYTES, type TextCollection } from './text-collection';

/** `RIFF`, the length of the file, `WEBP`. */
const HEADER_BYTES = 12;

/** Chunks that are looked at; an animation has one a frame. */
const MOST_CHUNKS = 10_000;

/** How sd-cli marks its text in XMP. */
const OPENING = '<sdcpp:parameters>';
const CLOSING = '</sdcpp:parameters>';

/** Reads the texts of a WEBP: sd-cli writes XMP, A1111 and ComfyUI write EXIF. */
export async function readWebpTexts(source: ByteSource, texts: TextCollection): Promise<void> {
  let at = HEADER_BYTES;
  for (let count = 0; count < MOST_CHUNKS; count += 1) {
    const head = await source.read(at, 8);
    if (head.length < 8) return;
    const [type, length] = [head.toString('latin1', 0, 4), head.readUInt32LE(4)];
    if ((type === 'XMP ' || type === 'EXIF') && length <= LONGEST_TEXT_BYTES) {
      const data = await source.read(at + 8, length);
      if (type === 'EXIF') takeExifTexts(data, texts);
      else takeXmpText(decodeText(data), texts);
    }
    at += 8 + length + (length % 2);
  }
}

function takeXmpText(xml: string, texts: TextCollection): void {
  const start = xml.indexOf(OPENING);
  const end = start === -1 ? -1 : xml.indexOf(CLOSING, start);
  if (end !== -1) texts.offer('parameters', () => unescaped(xml.slice(start + OPENING.length, end)));
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,4}));/gi, (entity, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name] ?? entity;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entity;
  });
}
