// Files as long as models that hold a header and a hole.

import { open } from 'node:fs/promises';

/** Tensors of a diffusion transformer: names and shapes of a well-known one, and a last one that fills the file. */
function transformerTensors() {
  const block = [
    'img_attn.qkv',
    'img_attn.proj',
    'img_mlp.0',
    'img_mlp.2',
    'txt_attn.qkv',
    'txt_attn.proj',
    'txt_mlp.0'
  ];
  const tensors = [
    { name: 'img_in.weight', shape: [3072, 64] },
    { name: 'txt_in.weight', shape: [3072, 4096] }
  ];
  for (let index = 0; index < 57; index += 1) {
    for (const layer of block) {
      tensors.push({ name: `double_blocks.${index}.${layer}.weight`, shape: [32, 3072] });
      tensors.push({ name: `double_blocks.${index}.${layer}.bias`, shape: [3072] });
    }
  }
  return tensors;
}

const manyTensors = (count) =>
  Array.from({ length: count }, (_, index) => ({
    name: `model.layers.${index}.mlp.experts.down_proj.weight`,
    shape: [8, 32]
  }));

/** A tokeniser's words, as GGUF files of language models carry them. */
const words = (count) => ({ type: 'texts', value: Array.from({ length: count }, (_, index) => `word${index}`) });

/** With one more tensor, so that the file has the wanted size, or nearly: a hole is free. */
function filled(tensors, dtype, bytes) {
  const rows = Math.floor(bytes / 8192);
  return [...tensors, { name: 'filling.weight', shape: [rows, 4096] }].map((tensor) => ({ dtype, ...tensor }));
}

/**
 * What the files are, and how each is made.
 * @param {any} readers
 * @param {number} bytes
 */
export function sparseModels({ safetensorsFile, ggufFile }, bytes) {
  const vocabulary = [
    ['tokenizer.ggml.tokens', words(151_936)],
    ['tokenizer.ggml.merges', words(151_387)]
  ];
  return [
    { what: 'transformer, safetensors', built: safetensorsFile(filled(transformerTensors(), 'BF16', bytes)) },
    { what: 'transformer, GGUF', built: ggufFile(filled(transformerTensors(), 'F16', bytes)) },
    { what: 'language model, GGUF', built: ggufFile(filled(manyTensors(400), 'F16', bytes), { metadata: vocabulary }) },
    { what: '40,000 tensors, safetensors', built: safetensorsFile(filled(manyTensors(40_000), 'BF16', bytes)) }
  ];
}

/** Writes a header and leaves the rest a hole. */
export async function writeSparse(file, { start, size }) {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(start);
    await handle.truncate(size);
  } finally {
    await handle.close();
  }
}
