import { describeWeights, type WeightsDescription } from '../../../server/weights/describe';
import { readHeader } from '../../../server/weights/headers/read-weights';
import { memorySource } from './memory-source';
import { safetensorsFile } from './safetensors-file';

/** Names and shapes as they are published. */
export type Tensors = Readonly<Record<string, readonly number[]>>;

/** What the header of a file with these tensors says. */
export async function described(
  tensors: Tensors,
  metadata?: Readonly<Record<string, string>>
): Promise<WeightsDescription> {
  const wanted = Object.entries(tensors).map(([name, shape]) => ({ name, dtype: 'BF16', shape }));
  const { start, size } = safetensorsFile(wanted, metadata);
  return describeWeights(await readHeader(memorySource(start, size), { pickles: 'refused' }));
}

/** Tensors by which families are known. */
export const PUBLISHED = {
  unet: {
    'input_blocks.0.0.weight': [320, 4, 3, 3],
    'input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight': [320, 768]
  },
  flux: {
    'img_in.weight': [3072, 64],
    'txt_in.weight': [3072, 4096],
    'double_blocks.0.img_attn.norm.key_norm.scale': [128],
    'single_blocks.0.linear1.weight': [21504, 3072]
  },
  flux2: {
    'double_stream_modulation_img.lin.weight': [36864, 6144],
    'double_blocks.0.img_attn.qkv.weight': [18432, 6144],
    'txt_in.weight': [6144, 15360]
  },
  sd3: { 'joint_blocks.0.context_block.attn.qkv.weight': [4608, 1536] },
  qwen: { 'transformer_blocks.0.img_mod.1.weight': [18432, 3072], 'img_in.weight': [3072, 64] },
  zImage: { 'cap_embedder.0.weight': [2560], 'cap_embedder.1.weight': [3840, 2560] },
  wan: {
    'blocks.0.cross_attn.norm_k.weight': [5120],
    'patch_embedding.weight': [5120, 16, 1, 2, 2],
    'patch_embedding.bias': [5120]
  }
} as const satisfies Readonly<Record<string, Tensors>>;

/** The same tensors as they are named in a whole checkpoint, with a VAE. */
export function checkpointOf(tensors: Tensors): Tensors {
  const prefixed = Object.entries(tensors).map(([name, shape]) => [`model.diffusion_model.${name}`, shape] as const);
  return {
    ...Object.fromEntries(prefixed),
    'first_stage_model.decoder.conv_in.weight': [512, 4, 3, 3],
    'first_stage_model.decoder.conv_out.weight': [3, 128, 3, 3]
  };
}
