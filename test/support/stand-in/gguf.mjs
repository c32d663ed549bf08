import { readAt } from './model-file.mjs';

const HEADER_LIMIT = 64 * 1024 * 1024;
const SUPPORTED_VERSION = 3;

/** Data of tensors begin at multiples of this, in bytes. */
export const ALIGNMENT = 32;

/** ggml types by number: name, elements per block, bytes per block. */
export const TYPES = new Map([
  [0, ['f32', 1, 4]],
  [1, ['f16', 1, 2]],
  [2, ['q4_0', 32, 18]],
  [3, ['q4_1', 32, 20]],
  [6, ['q5_0', 32, 22]],
  [7, ['q5_1', 32, 24]],
  [8, ['q8_0', 32, 34]],
  [10, ['q2_K', 256, 84]],
  [11, ['q3_K', 256, 110]],
  [12, ['q4_K', 256, 144]],
  [13, ['q5_K', 256, 176]],
  [14, ['q6_K', 256, 210]],
  [26, ['i32', 1, 4]],
  [27, ['i64', 1, 8]],
  [30, ['bf16', 1, 2]],
  [41, ['q1_0', 128, 18]]
]);

const FIXED_VALUE_BYTES = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8]
]);
const STRING_VALUE = 8;
const ARRAY_VALUE = 9;

/** The types in the order in which the recorded program counts them. */
export const TYPE_ORDER = [...TYPES.values()].map(([name]) => name);

/** Bytes that `elements` values of the named type take in memory. */
export function bytesOf(type, elements) {
  for (const [name, perBlock, blockBytes] of TYPES.values()) {
    if (name === type) return (elements / perBlock) * blockBytes;
  }
  throw new Error(`no size is known for type ${type}`);
}

/** The reason why a GGUF header could not be read, in the recorded words where they are known. */
class CutHeader extends Error {}

/**
 * Reads a GGUF header, or returns undefined when the magic bytes are not there.
 * `errors` holds recorded complaints; `tensors` is undefined when the header is cut. A tensor is `whole` when its data
 * lies inside the file.
 */
export function readGguf(file) {
  const bytes = readAt(file, 0, HEADER_LIMIT);
  if (bytes.subarray(0, 4).toString('latin1') !== 'GGUF') return undefined;
  const errors = [];
  try {
    const cursor = new Cursor(bytes, file.bytes, 4);
    const version = cursor.uint32();
    if (version > SUPPORTED_VERSION) {
      errors.push(
        `gguf_init_from_reader: this GGUF file is version ${version} but this software only supports up to version ${SUPPORTED_VERSION}`,
        'gguf_init_from_reader: failed to read header'
      );
    }
    return { tensors: readTensors(cursor, file.bytes), errors };
  } catch (error) {
    if (!(error instanceof CutHeader)) throw error;
    return {
      tensors: undefined,
      errors: [...errors, error.message, 'gguf_init_from_reader: failed to read tensor info']
    };
  }
}

function readTensors(cursor, fileBytes) {
  const tensorCount = cursor.uint64();
  const valueCount = cursor.uint64();
  for (let index = 0; index < valueCount; index += 1) {
    cursor.string();
    skipValue(cursor, cursor.uint32());
  }
  const tensors = [];
  for (let index = 0; index < tensorCount; index += 1) {
    const name = cursor.string();
    const shape = Array.from({ length: cursor.uint32() }, () => cursor.uint64()).toReversed();
    const [type, perBlock, blockBytes] = TYPES.get(cursor.uint32()) ?? ['f16', 1, 2];
    const bytes = (shape.reduce((product, extent) => product * extent, 1) / perBlock) * blockBytes;
    tensors.push({ name, type, shape, bytes, end: cursor.uint64() + bytes, whole: false });
  }
  const dataStart = Math.ceil(cursor.offset / ALIGNMENT) * ALIGNMENT;
  for (const tensor of tensors) tensor.whole = dataStart + tensor.end <= fileBytes;
  return tensors;
}

function skipValue(cursor, kind) {
  if (kind === STRING_VALUE) {
    cursor.string();
  } else if (kind === ARRAY_VALUE) {
    const elementKind = cursor.uint32();
    const count = cursor.uint64();
    for (let index = 0; index < count; index += 1) skipValue(cursor, elementKind);
  } else {
    cursor.take(FIXED_VALUE_BYTES.get(kind) ?? 0);
  }
}

class Cursor {
  constructor(bytes, fileBytes, offset) {
    this.bytes = bytes;
    this.fileBytes = fileBytes;
    this.offset = offset;
  }

  take(length) {
    if (this.offset + length > this.bytes.length) {
      throw new CutHeader(`read: ${length} bytes exceed remaining file size ${this.fileBytes - this.offset} bytes`);
    }
    const taken = this.bytes.subarray(this.offset, this.offset + length);
    this.offset += length;
    return taken;
  }

  uint32() {
    return this.take(4).readUInt32LE();
  }

  uint64() {
    return Number(this.take(8).readBigUInt64LE());
  }

  string() {
    const length = this.uint64();
    const left = this.fileBytes - this.offset;
    if (length > left) throw new CutHeader(`read: string length ${length} exceeds remaining file size ${left} bytes`);
    return this.take(length).toString('utf8');
  }
}
