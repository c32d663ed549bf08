import { readAt } from './model-file.mjs';

const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100 * 1024 * 1024;

/** The ggml type that the recorded program keeps a safetensors type in. */
const KEPT_AS = {
  F32: 'f32',
  F64: 'f32',
  F16: 'f16',
  BF16: 'bf16',
  F8_E4M3: 'f16',
  F8_E5M2: 'f16',
  I32: 'i32',
  I64: 'i64'
};

/**
 * Reads the header of a safetensors file, or returns undefined when the file is none.
 * `outOfBounds` names the first tensor, in the order of names, whose data the file does not hold.
 */
export function readSafetensors(file) {
  const header = readHeader(file);
  if (header === undefined) return undefined;
  const dataBytes = file.bytes - LENGTH_BYTES - header.bytes;
  const tensors = [];
  for (const name of Object.keys(header.entries).toSorted(byCodeUnit)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets: offsets } = header.entries[name] ?? {};
    if (!Array.isArray(shape) || !Array.isArray(offsets)) return undefined;
    if (offsets[1] > dataBytes) return { tensors: [], outOfBounds: name };
    tensors.push({ name, type: KEPT_AS[dtype] ?? 'f16', shape, bytes: offsets[1] - offsets[0], whole: true });
  }
  return { tensors, outOfBounds: undefined };
}

function readHeader(file) {
  if (file.bytes <= LENGTH_BYTES) return undefined;
  const length = readAt(file, 0, LENGTH_BYTES).readBigUInt64LE();
  if (length > BigInt(MAX_HEADER_BYTES) || length > BigInt(file.bytes - LENGTH_BYTES)) return undefined;
  const bytes = Number(length);
  try {
    const entries = JSON.parse(readAt(file, LENGTH_BYTES, bytes).toString('utf8'));
    return typeof entries === 'object' && entries !== null && !Array.isArray(entries) ? { entries, bytes } : undefined;
  } catch {
    return undefined;
  }
}

function byCodeUnit(left, right) {
  return left < right ? -1 : left > right ? 1 : 0;
}
