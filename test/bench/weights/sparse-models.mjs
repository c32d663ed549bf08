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

/** A LoRA as trainers write it: the tags of all their images, and how often each is there, as a text of JSON. */
function taggedLora(count) {
  const tensors = Array.from({ length: count }, (_, index) => ({
    name: `lora_unet_blocks_${index}_attentions_1_transformer_blocks_0_attn1_to_k.lora_down.weight`,
    shape: [32, 1280]
  }));
  const tags = Object.fromEntries(
    Array.from({ length: 110_000 }, (_, index) => [`a tag of an image ${index}`, index % 97])
  );
  return { tensors, metadata: { ss_tag_frequency: JSON.stringify({ '10_images': tags }) } };
}

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
    ['tokenizer.ggml.tokens', words(120_000)],
    ['tokenizer.ggml.merges', words(119_500)]
  ];
  const lora = taggedLora(2166);
  return [
    { what: 'transformer, safetensors', built: safetensorsFile(filled(transformerTensors(), 'BF16', bytes)) },
    { what: 'transformer, GGUF', built: ggufFile(filled(transformerTensors(), 'F16', bytes)) },
    { what: 'language model, GGUF', built: ggufFile(filled(manyTensors(400), 'F16', bytes), { metadata: vocabulary }) },
    { what: 'LoRA with tags, safetensors', built: safetensorsFile(filled(lora.tensors, 'F16', bytes), lora.metadata) },
    { what: '34,000 tensors, safetensors', built: safetensorsFile(filled(manyTensors(34_000), 'BF16', bytes)) }
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
