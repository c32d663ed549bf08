import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const CHANNELS_BY_COLOUR_TYPE = new Map([
  [0, 1],
  [2, 3],
  [3, 3],
  [4, 2],
  [6, 4]
]);

/**
 * Encodes 8-bit RGB rows (`width * height * 3` bytes) as PNG. With `parameters`, a tEXt chunk of that name holds the
 * text as raw UTF-8, before the image data, as recorded.
 */
export function encodePng({ width, height, pixels, parameters }) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rowBytes = width * 3;
  const rows = Buffer.alloc((rowBytes + 1) * height);
  for (let row = 0; row < height; row += 1) {
    pixels.copy(rows, row * (rowBytes + 1) + 1, row * rowBytes, (row + 1) * rowBytes);
  }
  const text = parameters === undefined ? [] : [chunk('tEXt', Buffer.from(`parameters\0${parameters}`))];
  const data = chunk('IDAT', deflateSync(rows, { level: 6 }));
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), ...text, data, chunk('IEND', Buffer.alloc(0))]);
}

/** Size and number of channels of a PNG whose image data is complete, or undefined for anything else. */
export function decodePng(bytes) {
  if (bytes.length < 33 || !bytes.subarray(0, 8).equals(SIGNATURE)) return undefined;
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  const channels = CHANNELS_BY_COLOUR_TYPE.get(bytes[25]);
  const data = [];
  for (let offset = 8; offset + 12 <= bytes.length; ) {
    const length = bytes.readUInt32BE(offset);
    const type = bytes.toString('latin1', offset + 4, offset + 8);
    if (type === 'IDAT') data.push(bytes.subarray(offset + 8, offset + 8 + length));
    if (type === 'IEND') return isInflatable(data) ? { width, height, channels } : undefined;
    offset += 12 + length;
  }
  return undefined;
}

function isInflatable(data) {
  try {
    inflateSync(Buffer.concat(data));
    return true;
  } catch {
    return false;
  }
}

function chunk(type, content) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(content.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
