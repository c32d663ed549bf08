import { crc32, deflateRawSync } from 'node:zlib';

/** An entry as a test wants it, true or not. */
export interface ZipEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** Unix mode with the kind of file; absent: a plain file without the right to run. */
  readonly mode?: number;
  /** Whether sizes and checksum follow the data. */
  readonly descriptor?: boolean;
  /** Whether sizes and place are written with 64 bits. */
  readonly zip64?: boolean;
  readonly encrypted?: boolean;
  /** What the directory says instead of the truth. */
  readonly claims?: { readonly size?: number; readonly crc?: number; readonly method?: number };
}

const LINK = 0o120777;

/** A symbolic link. */
export function linkEntry(name: string, target: string): ZipEntry {
  return { name, content: target, mode: LINK };
}

/** A zip archive of these entries, deflated. */
export function zipFile(entries: readonly ZipEntry[], { zip64 = false } = {}): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const facts = factsOf(entry, offset);
    const local = localPart(entry, facts);
    locals.push(local);
    directory.push(directoryPart(entry, facts));
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const ending = zip64 ? [endWith64(entries.length, central.length, offset)] : [];
  return Buffer.concat([...locals, central, ...ending, end(entries.length, central.length, offset, zip64)]);
}

interface Facts {
  readonly name: Buffer;
  readonly packed: Buffer;
  readonly size: number;
  readonly crc: number;
  readonly method: number;
  readonly flags: number;
  readonly offset: number;
}

function factsOf({ name, content = '', descriptor, encrypted, claims = {} }: ZipEntry, offset: number): Facts {
  const bytes = Buffer.from(content);
  return {
    name: Buffer.from(name),
    packed: deflateRawSync(bytes),
    size: claims.size ?? bytes.length,
    crc: claims.crc ?? crc32(bytes),
    method: claims.method ?? 8,
    // UTF-8 names.
    flags: 0x800 | (descriptor ? 8 : 0) | (encrypted ? 1 : 0),
    offset
  };
}

function localPart({ descriptor }: ZipEntry, { name, packed, size, crc, method, flags }: Facts): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(method, 8);
  if (!descriptor) {
    header.writeUInt32LE(crc, 14);
    header.writeUInt32LE(packed.length, 18);
    header.writeUInt32LE(size, 22);
  }
  header.writeUInt16LE(name.length, 26);
  const trailer = Buffer.alloc(descriptor ? 16 : 0);
  if (descriptor) {
    trailer.writeUInt32LE(0x08074b50, 0);
    trailer.writeUInt32LE(crc, 4);
    trailer.writeUInt32LE(packed.length, 8);
    trailer.writeUInt32LE(size, 12);
  }
  return Buffer.concat([header, name, packed, trailer]);
}

function directoryPart({ mode = 0o100644, zip64 }: ZipEntry, facts: Facts): Buffer {
  const { name, packed, size, crc, method, flags, offset } = facts;
  const header = Buffer.alloc(46);
  const extra = zip64 ? sizesWith64(size, packed.length, offset) : Buffer.alloc(0);
  header.writeUInt32LE(0x02014b50, 0);
  // Made on Unix, so that the mode counts.
  header.writeUInt16LE(0x031e, 4);
  header.writeUInt16LE(zip64 ? 45 : 20, 6);
  header.writeUInt16LE(flags, 8);
  header.writeUInt16LE(method, 10);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(zip64 ? 0xffffffff : packed.length, 20);
  header.writeUInt32LE(zip64 ? 0xffffffff : size, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE((mode << 16) >>> 0, 38);
  header.writeUInt32LE(zip64 ? 0xffffffff : offset, 42);
  return Buffer.concat([header, name, extra]);
}

function sizesWith64(size: number, packed: number, offset: number): Buffer {
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(24, 2);
  for (const [index, value] of [size, packed, offset].entries()) extra.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  return extra;
}

function endWith64(entries: number, bytes: number, offset: number): Buffer {
  const record = Buffer.alloc(56 + 20);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeUInt16LE(45, 14);
  for (const at of [24, 32]) record.writeBigUInt64LE(BigInt(entries), at);
  record.writeBigUInt64LE(BigInt(bytes), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(BigInt(offset + bytes), 64);
  record.writeUInt32LE(1, 72);
  return record;
}

function end(entries: number, bytes: number, offset: number, zip64: boolean): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  for (const at of [8, 10]) record.writeUInt16LE(zip64 ? 0xffff : entries, at);
  record.writeUInt32LE(zip64 ? 0xffffffff : bytes, 12);
  record.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  return record;
}
