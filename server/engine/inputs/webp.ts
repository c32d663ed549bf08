import { CUT_OFF, complete, damaged, type ImageWalk, unreadable } from './image-walk';

/** "RIFF", the length of the rest, "WEBP". */
const FILE_HEADER = 12;

/** A name of four letters and a length. */
const CHUNK_HEADER = 8;

const ANIMATION_FLAG = 0x02;

/** Walks through the chunks of a WEBP image. The data of the pixels is not decoded. */
export function walkWebp(bytes: Uint8Array): ImageWalk {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < FILE_HEADER) return CUT_OFF;
  const end = CHUNK_HEADER + view.getUint32(4, true);
  if (end > bytes.length) return CUT_OFF;
  let canvas: ImageWalk | undefined;
  for (let at = FILE_HEADER; at < end; ) {
    if (at + CHUNK_HEADER > end) return CUT_OFF;
    const name = Buffer.from(bytes.subarray(at, at + 4)).toString('latin1');
    const size = view.getUint32(at + 4, true);
    const from = at + CHUNK_HEADER;
    if (from + size > end) return CUT_OFF;
    const data = new DataView(bytes.buffer, bytes.byteOffset + from, size);
    if (name === 'VP8 ') return agreeing(canvas, readLossy(data));
    if (name === 'VP8L') return agreeing(canvas, readLossless(data));
    if (name === 'ANMF') return unreadable('an animated WEBP');
    if (name === 'VP8X') {
      if (canvas || at !== FILE_HEADER) return damaged('its header is out of place');
      canvas = readCanvas(data);
      if (canvas.kind !== 'complete') return canvas;
    }
    // Lengths are rounded up to an even number of bytes.
    at = from + size + (size % 2);
  }
  return damaged('it has no pixels');
}

function readCanvas(data: DataView): ImageWalk {
  if (data.byteLength < 10) return damaged('its header is too short');
  if ((data.getUint8(0) & ANIMATION_FLAG) !== 0) return unreadable('an animated WEBP');
  return complete(uint24(data, 4) + 1, uint24(data, 7) + 1);
}

/** A key frame of VP8 (RFC 6386, section 9.1): a tag with the length of its first part, a start code, the size. */
function readLossy(data: DataView): ImageWalk {
  if (data.byteLength < 10) return damaged('its frame is too short');
  const tag = uint24(data, 0);
  if ((tag & 1) !== 0 || uint24(data, 3) !== 0x2a019d) return damaged('its frame is none that an image begins with');
  if (tag >>> 5 > data.byteLength - 10) return damaged('its frame is longer than its chunk');
  return complete(data.getUint16(6, true) & 0x3fff, data.getUint16(8, true) & 0x3fff);
}

function readLossless(data: DataView): ImageWalk {
  if (data.byteLength < 5) return damaged('its frame is too short');
  const packed = data.getUint32(1, true);
  if (data.getUint8(0) !== 0x2f || packed >>> 29 !== 0) return damaged('its frame is of an unknown version');
  return complete((packed & 0x3fff) + 1, ((packed >>> 14) & 0x3fff) + 1);
}

function agreeing(canvas: ImageWalk | undefined, frame: ImageWalk): ImageWalk {
  if (canvas?.kind !== 'complete' || frame.kind !== 'complete') return frame;
  const isSame = canvas.width === frame.width && canvas.height === frame.height;
  return isSame ? frame : damaged('its two sizes contradict each other');
}

function uint24(data: DataView, at: number): number {
  return data.getUint16(at, true) + data.getUint8(at + 2) * 65_536;
}
