import { ALIGNMENT, TYPES } from './gguf.mjs';

/** Tensors that the recorded conversions left in the type that they had. */
const KEPT_NAMES = /\.bias$|position_embedding|token_embedding|time_embed\./;

/** Whether a tensor is not stored as the named type: by its name, or because its rows have another width than blocks. */
export function keepsItsType({ name, shape }, type) {
  const [, [, perBlock]] = entryOf(type);
  return KEPT_NAMES.test(name) || (shape.at(-1) ?? 1) % perBlock !== 0;
}

/** The header of a GGUF file with these tensors in this order, without any values, and the length of the whole file. */
export function ggufHeader(tensors) {
  const parts = [Buffer.from('GGUF'), uint32(3), uint64(tensors.length), uint64(0)];
  let end = 0;
  for (const { name, shape, type } of tensors) {
    const [number, [, perBlock, blockBytes]] = entryOf(type);
    const text = Buffer.from(name);
    const extents = shape.toReversed().map(uint64);
    parts.push(uint64(text.length), text, uint32(shape.length), ...extents, uint32(number), uint64(end));
    end = aligned(end + (shape.reduce((product, extent) => product * extent, 1) / perBlock) * blockBytes);
  }
  const header = Buffer.concat(parts);
  const padding = Buffer.alloc(aligned(header.length) - header.length);
  return { header: Buffer.concat([header, padding]), bytes: aligned(header.length) + end };
}

function entryOf(type) {
  const entry = [...TYPES].find(([, [name]]) => name === type);
  if (entry === undefined) throw new Error(`no size is known for type ${type}`);
  return entry;
}

function aligned(bytes) {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function uint32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
