import { GGML_TYPES } from '../../../server/weights/headers/ggml-types';
import type { BuiltFile, WantedTensor } from './safetensors-file';

/** A value of the metadata, by the number of its type. */
export type GgufValue =
  | { readonly type: 'text'; readonly value: string }
  | { readonly type: 'texts'; readonly value: readonly string[] }
  | { readonly type: 'uint32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'float32s'; readonly value: readonly number[] }
  /** The type's number, and the bytes of the value. */
  | { readonly type: number; readonly value: Buffer };

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

export const uint64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

export const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
};

function valueBytes({ type, value }: GgufValue): Buffer {
  switch (type) {
    case 'text':
      return Buffer.concat([uint32(8), text(value)]);
    case 'texts':
      return Buffer.concat([uint32(9), uint32(8), uint64(value.length), ...value.map(text)]);
    case 'uint32':
      return Buffer.concat([uint32(4), uint32(value)]);
    case 'bool':
      return Buffer.concat([uint32(7), Buffer.from([value ? 1 : 0])]);
    case 'float32s':
      return Buffer.concat([uint32(9), uint32(6), uint64(value.length), Buffer.from(Float32Array.from(value).buffer)]);
    default:
      return Buffer.concat([uint32(type), value]);
  }
}

/** What one tensor says of itself, for tests that lie. */
export function ggufTensor({
  name,
  dimensions,
  type,
  offset
}: {
  readonly name: string;
  /** Innermost first. */
  readonly dimensions: readonly (number | bigint)[];
  readonly type: number;
  readonly offset: number | bigint;
}): Buffer {
  return Buffer.concat([
    text(name),
    uint32(dimensions.length),
    ...dimensions.map(uint64),
    uint32(type),
    uint64(offset)
  ]);
}

export interface GgufOptions {
  readonly version?: number;
  readonly metadata?: readonly (readonly [string, GgufValue])[];
  readonly alignment?: number;
}

/** Magic, version and counts, then the given parts. */
export function ggufStart(
  tensorCount: number | bigint,
  pairCount: number | bigint,
  parts: readonly Buffer[],
  version = 3
): Buffer {
  return Buffer.concat([Buffer.from('GGUF'), uint32(version), uint64(tensorCount), uint64(pairCount), ...parts]);
}

export function ggufPair(key: string, value: GgufValue): Buffer {
  return Buffer.concat([text(key), valueBytes(value)]);
}

/** A GGUF file with the tensors one after the other. */
export function ggufFile(
  tensors: readonly WantedTensor[],
  { version = 3, metadata = [], alignment }: GgufOptions = {}
): BuiltFile {
  const unit = alignment ?? 32;
  const aligned = (bytes: number): number => Math.ceil(bytes / unit) * unit;
  const pairs: [string, GgufValue][] = [
    ...metadata.map(([key, value]): [string, GgufValue] => [key, value]),
    ...(alignment === undefined
      ? []
      : [['general.alignment', { type: 'uint32', value: alignment }] as [string, GgufValue]])
  ];
  let end = 0;
  const infos = tensors.map(({ name, dtype, shape }) => {
    const [number, type] = [...GGML_TYPES].find(([, known]) => known.name === dtype)!;
    const offset = end;
    const elements = shape.reduce((product, extent) => product * extent, 1);
    end = aligned(offset + (elements / type.blockElements) * type.blockBytes);
    return ggufTensor({ name, dimensions: shape.toReversed(), type: number, offset });
  });
  const header = ggufStart(
    tensors.length,
    pairs.length,
    [...pairs.map(([key, value]) => ggufPair(key, value)), ...infos],
    version
  );
  const start = Buffer.concat([header, Buffer.alloc(aligned(header.length) - header.length)]);
  return { start, size: start.length + end };
}
