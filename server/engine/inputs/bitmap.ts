import { CUT_OFF, complete, damaged, type ImageWalk, unreadable } from './image-walk';

/** "BM", lengths, and the length of what follows. */
const LEAST_BYTES = 26;

const OLD_HEADER = 12;
const HEADERS = new Set([OLD_HEADER, 40, 52, 56, 108, 124]);
const DEPTHS = new Set([1, 4, 8, 16, 24, 32]);

/** Ways to store pixels that the engine's decoder reads: one after the other, with masks for their channels or without. */
const PLAIN = 0;
const MASKED = 3;

/** Reads the header of a bitmap of Windows and makes sure that its lines are there. */
export function walkBitmap(bytes: Uint8Array): ImageWalk {
  if (bytes.length < LEAST_BYTES) return CUT_OFF;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = view.getUint32(14, true);
  if (!HEADERS.has(header)) return unreadable('a bitmap of an unknown kind');
  if (14 + header > bytes.length) return CUT_OFF;
  const isOld = header === OLD_HEADER;
  const width = isOld ? view.getUint16(18, true) : view.getInt32(18, true);
  // Lines that begin at the top are told by a height below 0.
  const height = isOld ? view.getUint16(20, true) : Math.abs(view.getInt32(22, true));
  const depth = view.getUint16(isOld ? 24 : 28, true);
  const compression = isOld ? PLAIN : view.getUint32(30, true);
  if (!DEPTHS.has(depth)) return damaged('its kind of pixels does not exist');
  if (compression !== PLAIN && compression !== MASKED) return unreadable('a compressed bitmap');
  const size = complete(width, height);
  const lineBytes = Math.ceil((width * depth) / 32) * 4;
  return size.kind === 'complete' && view.getUint32(10, true) + lineBytes * height > bytes.length ? CUT_OFF : size;
}
