import type { Tensor } from './headers/tensor';

/** Bytes that stable-diffusion.cpp keeps for a value of a type that it converts when it loads it. */
const CONVERTED: ReadonlyMap<string, number> = new Map([
  ['F8_E4M3', 2],
  ['F8_E5M2', 2],
  ['F64', 4],
  ['I64', 4]
]);

/** Bytes of a value in the table of words, which the engine does not keep quantised. */
const WORD_VALUE_BYTES = 4;

/** Memory that the engine takes for a tensor once it is loaded, in bytes, as its recordings print it. */
export function engineBytes({ name, dtype, elements, bytes }: Tensor): number {
  if (name.endsWith('token_embedding.weight') && /^I?Q\d/.test(dtype)) return elements * WORD_VALUE_BYTES;
  const valueBytes = CONVERTED.get(dtype);
  return valueBytes === undefined ? bytes : elements * valueBytes;
}
