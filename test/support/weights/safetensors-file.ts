/** A tensor as a test wishes for it. */
export interface WantedTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

const BITS: Readonly<Record<string, number>> = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  U8: 8,
  I8: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  I16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64
};

/** The beginning of a file, and the size of the whole; the rest is data. */
export interface BuiltFile {
  readonly start: Buffer;
  readonly size: number;
}

/** A safetensors file with the tensors one after the other. */
export function safetensorsFile(
  tensors: readonly WantedTensor[],
  metadata?: Readonly<Record<string, string>>
): BuiltFile {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape }) => {
    const from = end;
    end += (shape.reduce((product, extent) => product * extent, 1) * BITS[dtype]!) / 8;
    return [name, { dtype, shape, data_offsets: [from, end] }] as const;
  });
  const header = { ...(metadata && { __metadata__: metadata }), ...Object.fromEntries(entries) };
  const start = safetensorsStart(JSON.stringify(header));
  return { start, size: start.length + end };
}

/** The length of a header and the header, padded as the format's own library does. */
export function safetensorsStart(header: string | Buffer): Buffer {
  const text = Buffer.from(header);
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded]);
}
