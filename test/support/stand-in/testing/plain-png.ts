import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 } as const;

/** A decoded picture: 8-bit samples without filters, and the tEXt `parameters` if there is one. */
interface PlainPicture {
  readonly width: number;
  readonly height: number;
  readonly rows: Buffer;
  readonly parameters: string | undefined;
}

/** Makes a grey (1), RGB (3) or RGBA (4 channels) PNG with a simple gradient. */
export function makePng(width: number, height: number, channels: 1 | 3 | 4): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, COLOUR_TYPES[channels], 0, 0, 0], 8);
  const row = width * channels + 1;
  const rows = Buffer.from(Array.from({ length: row * height }, (_, index) => (index % row === 0 ? 0 : index % 251)));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0))
  ]);
}

/** Reads a PNG written by the stand-in; throws when a CRC, a length or the end is wrong. */
export function readPng(bytes: Buffer): PlainPicture {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) throw new Error('not a PNG');
  const found = new Map<string, Buffer>();
  for (let offset = 8; !found.has('IEND'); ) {
    const length = bytes.readUInt32BE(offset);
    const body = bytes.subarray(offset + 4, offset + 8 + length);
    if (bytes.readUInt32BE(offset + 8 + length) !== crc32(body)) throw new Error('a chunk has a wrong CRC');
    found.set(body.toString('latin1', 0, 4), body.subarray(4));
    offset += 12 + length;
  }
  const width = found.get('IHDR')!.readUInt32BE(0);
  const height = found.get('IHDR')!.readUInt32BE(4);
  const rows = inflateSync(found.get('IDAT')!);
  if (rows.length !== (width * 3 + 1) * height) throw new Error('the picture has missing rows');
  return { width, height, rows, parameters: found.get('tEXt')?.toString('utf8').replace('parameters\0', '') };
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
