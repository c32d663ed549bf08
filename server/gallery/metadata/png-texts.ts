import type { Buffer } from 'node:buffer';
import { inflateSync } from 'node:zlib';
import type { ByteSource } from './byte-source';
import { decodeText, LONGEST_TEXT_BYTES, type TextCollection } from './text-collection';

const SIGNATURE_BYTES = 8;

/** Length and type before the data of a chunk, the check sum after it. */
const FRAME = { before: 8, after: 4 };

/** The longest keyword of a text chunk, in bytes, with the NUL that ends it. */
const KEYWORD_BYTES = 80;

/** Chunks that are looked at: programs write the pixels of a large image in some ten thousand. */
const MOST_CHUNKS = 100_000;

/** Reads the texts of a PNG, wherever in the file they are; a damaged file gives those before the damage. */
export async function readPngTexts(source: ByteSource, texts: TextCollection): Promise<void> {
  let at = SIGNATURE_BYTES;
  for (let count = 0; count < MOST_CHUNKS && at < source.size; count += 1) {
    const frame = await source.read(at, FRAME.before);
    if (frame.length < FRAME.before) return;
    const [length, type] = [frame.readUInt32BE(0), frame.toString('latin1', 4, 8)];
    if (type === 'IEND') return;
    if (/^[tiz](EX|TX)t$/.test(type) && length <= LONGEST_TEXT_BYTES) {
      takeText(type, await source.read(at + FRAME.before, length), texts);
    }
    at += FRAME.before + length + FRAME.after;
  }
}

function takeText(type: string, data: Buffer, texts: TextCollection): void {
  const end = data.subarray(0, KEYWORD_BYTES).indexOf(0);
  if (end < 1) return;
  const value = data.subarray(end + 1);
  texts.offer(data.toString('latin1', 0, end), () => {
    if (type === 'tEXt') return decodeText(value);
    // One byte names the only method of compression.
    if (type === 'zTXt') return inflated(value.subarray(1));
    return type === 'iTXt' ? international(value) : undefined;
  });
}

/** Compressed or not, method, language NUL, translated keyword NUL, text. */
function international(value: Buffer): string | undefined {
  const language = value.indexOf(0, 2);
  const translation = language === -1 ? -1 : value.indexOf(0, language + 1);
  if (translation === -1) return undefined;
  const text = value.subarray(translation + 1);
  return value[0] === 1 ? inflated(text) : decodeText(text);
}

/** Undefined for what is damaged, and for what grows beyond the longest text. */
function inflated(bytes: Buffer): string | undefined {
  try {
    return decodeText(inflateSync(bytes, { maxOutputLength: LONGEST_TEXT_BYTES }));
  } catch {
    return undefined;
  }
}
