/** A type that weights are stored in, by sd-cli's name of it. */
export interface WeightType {
  readonly name: string;
  /** What a weight takes with all that is stored beside it (ggml's block sizes). */
  readonly bits: number;
}

/** What models can be converted to, the largest first. Tensors that the engine does not store so keep their type. */
export const WEIGHT_TYPES: readonly WeightType[] = [
  { name: 'f32', bits: 32 },
  { name: 'f16', bits: 16 },
  { name: 'bf16', bits: 16 },
  { name: 'q8_0', bits: 8.5 },
  { name: 'q6_K', bits: 6.5625 },
  { name: 'q5_1', bits: 6 },
  { name: 'q5_0', bits: 5.5 },
  { name: 'q5_K', bits: 5.5 },
  { name: 'q4_1', bits: 5 },
  { name: 'q4_0', bits: 4.5 },
  { name: 'q4_K', bits: 4.5 },
  { name: 'q3_K', bits: 3.4375 },
  { name: 'q2_K', bits: 2.625 }
];

/** The type with a name, in whatever case it is written. */
export function findWeightType(text: string): WeightType | undefined {
  return WEIGHT_TYPES.find(({ name }) => name.toLowerCase() === text.trim().toLowerCase());
}
