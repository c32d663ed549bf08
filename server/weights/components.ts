import { type Family, type RecognisedFamily, recogniseFamily, T5_WIDTH, type Variant } from './families';
import type { TensorIndex } from './tensor-index';

/** What a part of a file is to an engine, with the name that people know. */
export const COMPONENT_NAMES = {
  diffusion_model: 'diffusion model',
  vae: 'VAE',
  taesd: 'tiny autoencoder (TAESD)',
  clip_l: 'CLIP-L text encoder',
  clip_g: 'CLIP-G text encoder',
  clip_h: 'OpenCLIP-H text encoder',
  clip_vision: 'CLIP image encoder',
  t5xxl: 'T5-XXL text encoder',
  llm: 'language model',
  llm_vision: 'vision part of a language model',
  control_net: 'ControlNet',
  upscale_model: 'ESRGAN upscaler',
  lora: 'LoRA',
  embedding: 'textual inversion',
  motion_module: 'motion module'
} as const;

export type Component = keyof typeof COMPONENT_NAMES;

/** A component, and the family that it belongs to where that shows. */
export interface RecognisedComponent {
  readonly component: Component;
  readonly family?: Family;
  readonly variant?: Variant;
}

type Rule = (tensors: TensorIndex) => RecognisedComponent | undefined;

/** What a LoRA adds to each layer, by the names that trainers have for it. */
const LORA_TENSOR =
  /\.(lora_(up|down|A|B)(\.default)?\.weight|lora\.(up|down)\.weight|hada_[wt][12](_[ab])?|lokr_[wt][12](_[ab])?|alpha|dora_scale|diff|diff_b)$/;

/** Width of the text to the family that takes it, where no other has it. */
const FAMILY_OF_WIDTH: ReadonlyMap<number | undefined, Family> = new Map([
  [768, 'sd1'],
  [1024, 'sd2'],
  [2048, 'sdxl']
]);

/** Width of a CLIP text encoder to the one that has it. */
const CLIP_OF_WIDTH: ReadonlyMap<number | undefined, Component> = new Map([
  [768, 'clip_l'],
  [1024, 'clip_h'],
  [1280, 'clip_g']
]);

/** More tensors than a textual inversion has. */
const MOST_EMBEDDINGS = 4;

/** The first rule that fits tells what a part is; small additions to models come before the models. */
const RULES: readonly Rule[] = [
  lora,
  embedding,
  upscaler,
  controlNet,
  (t) => (t.some((name) => name.includes('.motion_modules.')) ? { component: 'motion_module' } : undefined),
  diffusionModel,
  (t) => (t.has('decoder.layers.0.weight', 'decoder.layers.2.conv.0.weight') ? { component: 'taesd' } : undefined),
  vae,
  clipText,
  clipVision,
  t5,
  languageModel,
  languageVision
];

/** What the tensors of a part are; undefined when nothing is certain. */
export function recogniseComponent(tensors: TensorIndex): RecognisedComponent | undefined {
  for (const rule of RULES) {
    const recognised = rule(tensors);
    if (recognised) return recognised;
  }
  return undefined;
}

function withFamily(component: Component, recognised: RecognisedFamily | undefined): RecognisedComponent {
  return { component, ...recognised };
}

function ofWidth(component: Component, width: number | undefined): RecognisedComponent {
  const family = FAMILY_OF_WIDTH.get(width);
  return withFamily(component, family && { family });
}

function lora(tensors: TensorIndex): RecognisedComponent | undefined {
  const added = tensors.count((name) => LORA_TENSOR.test(name));
  if (added === 0 || added * 2 < tensors.size) return undefined;
  const width =
    tensors.extentOfFirst('attn2_to_k.lora_down.weight', 1) ?? tensors.extentOfFirst('attn2.to_k.lora_A.weight', 1);
  return ofWidth('lora', width);
}

function embedding(tensors: TensorIndex): RecognisedComponent | undefined {
  if (tensors.size > MOST_EMBEDDINGS) return undefined;
  if (tensors.has('clip_l', 'clip_g')) return { component: 'embedding', family: 'sdxl' };
  return tensors.has('emb_params') ? ofWidth('embedding', tensors.extent('emb_params', 1)) : undefined;
}

function upscaler(tensors: TensorIndex): RecognisedComponent | undefined {
  const isEsrgan =
    tensors.has('conv_first.weight', 'body.0.rdb1.conv1.weight') ||
    tensors.has('conv_first.weight', 'RRDB_trunk.0.RDB1.conv1.weight') ||
    tensors.has('model.0.weight', 'model.1.sub.0.RDB1.conv1.0.weight');
  return isEsrgan ? { component: 'upscale_model' } : undefined;
}

function controlNet(tensors: TensorIndex): RecognisedComponent | undefined {
  const isControlNet = tensors.has('input_hint_block.0.weight') || tensors.hasUnder('controlnet_');
  return isControlNet ? ofWidth('control_net', tensors.extentOfFirst('.attn2.to_k.weight', 1)) : undefined;
}

function diffusionModel(tensors: TensorIndex): RecognisedComponent | undefined {
  const recognised = recogniseFamily(tensors);
  return recognised && withFamily('diffusion_model', recognised);
}

/** As autoencoders of images name their layers, or as that of Wan and Qwen-Image does. */
function vae(tensors: TensorIndex): RecognisedComponent | undefined {
  const isVae =
    tensors.has('decoder.conv_in.weight', 'decoder.conv_out.weight') ||
    tensors.has('decoder.conv1.weight', 'decoder.middle.0.residual.0.gamma');
  return isVae ? { component: 'vae' } : undefined;
}

function clipText(tensors: TensorIndex): RecognisedComponent | undefined {
  const isClip =
    tensors.hasUnder('text_model.encoder.layers.') ||
    (tensors.has('token_embedding.weight') && tensors.hasUnder('transformer.resblocks.'));
  if (!isClip) return undefined;
  const width =
    tensors.extent('text_model.embeddings.token_embedding.weight', 1) ?? tensors.extent('token_embedding.weight', 1);
  const component = CLIP_OF_WIDTH.get(width);
  return component && { component };
}

function clipVision(tensors: TensorIndex): RecognisedComponent | undefined {
  const isVision =
    tensors.has('vision_model.embeddings.patch_embedding.weight') ||
    (tensors.has('visual.conv1.weight') && tensors.hasUnder('visual.transformer.resblocks.'));
  return isVision ? { component: 'clip_vision' } : undefined;
}

function t5(tensors: TensorIndex): RecognisedComponent | undefined {
  const width =
    tensors.extent('encoder.block.0.layer.0.SelfAttention.q.weight', 1) ?? tensors.extent('enc.blk.0.attn_q.weight', 1);
  return width === T5_WIDTH ? { component: 't5xxl' } : undefined;
}

const LLM_LAYERS = ['model.layers.0.', 'model.language_model.layers.0.', 'language_model.model.layers.0.'];

function languageModel(tensors: TensorIndex): RecognisedComponent | undefined {
  const isLanguageModel =
    LLM_LAYERS.some((layer) => tensors.has(`${layer}self_attn.q_proj.weight`)) ||
    tensors.has('token_embd.weight', 'blk.0.attn_q.weight');
  return isLanguageModel ? { component: 'llm' } : undefined;
}

function languageVision(tensors: TensorIndex): RecognisedComponent | undefined {
  const isVision =
    ['visual.blocks.0.', 'model.visual.blocks.0.'].some((block) => tensors.has(`${block}attn.qkv.weight`)) ||
    (tensors.has('v.patch_embd.weight') && tensors.hasUnder('v.blk.0.'));
  return isVision ? { component: 'llm_vision' } : undefined;
}
