import { Buffer } from 'node:buffer';
import { crc32, inflateSync } from 'node:zlib';
import { Failure, messageOf } from '../../../shared/failure';
import { type PngHeader, readHeader, scanlineBytes, scanlineProblem } from './png-scanlines';

/** What a complete and sound PNG says about itself. */
export interface PngImage {
  /** In pixels. */
  readonly width: number;
  /** In pixels. */
  readonly height: number;
  /** The tEXt chunk "parameters", in which image generators describe how the image was made. */
  readonly parameters?: string;
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Most pixels that are decoded: 64 Mpx are 8192 × 8192. */
export const MOST_PIXELS = 64 * 1024 * 1024;

/** Chunks without which an image cannot be shown; others with an upper-case first letter are unknown to us. */
const CRITICAL = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);

/** A PNG that is complete and sound, as far as it is decoded. */
export interface DecodedPng {
  readonly header: PngHeader;
  /** Red, green and blue of each colour, one after the other; empty where pixels are colours themselves. */
  readonly palette: Uint8Array;
  /** Filtered lines, of exactly `scanlineBytes(header)`. */
  readonly raw: Uint8Array;
  /** The tEXt chunk "parameters". */
  readonly parameters?: string;
}

/**
 * Decodes a whole PNG as far as it takes to prove that it is complete: signature, order and check sums of chunks,
 * compressed data, scanlines. Memory is bounded by the pixels that the header announces.
 * @throws Failure 'bad-image' with the reason
 */
export function readPng(bytes: Uint8Array): PngImage {
  const { header, parameters } = decodePng(bytes, MOST_PIXELS);
  const { width, height } = header;
  return parameters === undefined ? { width, height } : { width, height, parameters };
}

/** As {@link readPng}, with what leads to the pixels. @throws Failure 'bad-image' with the reason */
export function decodePng(bytes: Uint8Array, mostPixels: number): DecodedPng {
  const chunks = readChunks(bytes);
  const [first] = chunks;
  if (first?.type !== 'IHDR') throw bad('it does not begin with a header');
  const header = readHeader(first.data);
  if (typeof header === 'string') throw bad(header);
  if (header.width * header.height > mostPixels) throw tooLarge(header, mostPixels);
  checkOrder(chunks, header);
  const raw = inflate(chunks, scanlineBytes(header));
  const problem = scanlineProblem(header, raw);
  if (problem !== undefined) throw bad(problem);
  const palette = chunks.find(({ type }) => type === 'PLTE')?.data ?? new Uint8Array();
  const parameters = readText(chunks, 'parameters');
  return {
    header,
    palette: header.needsPalette ? palette : new Uint8Array(),
    raw,
    ...(parameters !== undefined && { parameters })
  };
}

function readChunks(bytes: Uint8Array): Chunk[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!buffer.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw bad('it does not begin like a PNG');
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE.length; at < buffer.length; ) {
    if (at + 12 > buffer.length) throw bad('it is cut off');
    const end = at + 12 + buffer.readUInt32BE(at);
    const type = buffer.toString('latin1', at + 4, at + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) throw bad('it has a chunk without a valid name');
    if (end > buffer.length) throw bad('it is cut off');
    if (crc32(buffer.subarray(at + 4, end - 4)) !== buffer.readUInt32BE(end - 4)) {
      throw bad(`the check sum of its ${type} chunk is wrong`);
    }
    chunks.push({ type, data: buffer.subarray(at + 8, end - 4) });
    if (type === 'IEND' && end < buffer.length) throw bad('there are bytes after its end');
    at = end;
  }
  if (chunks.at(-1)?.type !== 'IEND') throw bad('it is cut off');
  return chunks;
}

function checkOrder(chunks: readonly Chunk[], header: PngHeader): void {
  const types = chunks.map(({ type }) => type);
  const unknown = types.find((type) => /^[A-Z]/.test(type) && !CRITICAL.has(type));
  if (unknown !== undefined) throw bad(`it needs the unknown chunk ${unknown}`);
  if (types.lastIndexOf('IHDR') > 0) throw bad('it has two headers');
  const firstData = types.indexOf('IDAT');
  if (firstData === -1) throw bad('it has no image data');
  if (types.slice(firstData, types.lastIndexOf('IDAT')).some((type) => type !== 'IDAT')) {
    throw bad('its image data is interrupted');
  }
  const palette = types.indexOf('PLTE');
  if (palette > firstData || types.lastIndexOf('PLTE') !== palette) throw bad('its palette is out of place');
  if (header.needsPalette && palette === -1) throw bad('it has no palette');
}

function inflate(chunks: readonly Chunk[], expectedBytes: number): Uint8Array {
  const data = chunks.filter(({ type }) => type === 'IDAT').map((chunk) => chunk.data);
  let raw: Buffer;
  try {
    // One byte more than expected is enough to notice a stream that holds too much.
    raw = inflateSync(Buffer.concat(data), { maxOutputLength: expectedBytes + 1 });
  } catch (error) {
    throw bad(`its image data cannot be decompressed (${messageOf(error)})`);
  }
  if (raw.length !== expectedBytes) throw bad('its image data does not fill the image exactly');
  return raw;
}

/** The first tEXt chunk with a keyword. The value is UTF-8, as sd-cli writes it, whatever the format's text says. */
function readText(chunks: readonly Chunk[], keyword: string): string | undefined {
  const prefix = Buffer.from(`${keyword}\0`, 'latin1');
  for (const { type, data } of chunks) {
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    if (type === 'tEXt' && text.subarray(0, prefix.length).equals(prefix)) return text.toString('utf8', prefix.length);
  }
  return undefined;
}

function tooLarge({ width, height }: PngHeader, mostPixels: number): Failure {
  return new Failure('bad-image', `The image has ${width} × ${height} pixels; ${mostPixels} are possible.`, {
    nextStep: 'Make it smaller, then try again.'
  });
}

function bad(reason: string): Failure {
  return new Failure('bad-image', `The image is damaged: ${reason}.`);
}
