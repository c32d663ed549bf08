import type { TensorIndex } from './tensor-index';

/** What the weights of a diffusion model are, with the name that people know. */
export const FAMILY_NAMES = {
  sd1: 'Stable Diffusion 1',
  sd2: 'Stable Diffusion 2',
  sdxl: 'Stable Diffusion XL',
  sd3: 'Stable Diffusion 3',
  svd: 'Stable Video Diffusion',
  flux: 'Flux',
  flux2: 'Flux.2',
  chroma: 'Chroma',
  'chroma-radiance': 'Chroma Radiance',
  'ovis-image': 'Ovis-Image',
  'hunyuan-video': 'HunyuanVideo',
  'qwen-image': 'Qwen-Image',
  'z-image': 'Z-Image',
  lumina2: 'Lumina 2',
  wan: 'Wan',
  krea2: 'Krea 2',
  anima: 'Anima'
} as const;

export type Family = keyof typeof FAMILY_NAMES;

/**
 * What a model of a family is made for, where the tensors show it. Flux Kontext, Qwen-Image Edit and everything that
 * was distilled have the tensors of what they were made from.
 */
export type Variant =
  | 'inpaint'
  | 'edit'
  | 'refiner'
  | 'fill'
  | 'control'
  | 'klein'
  | 'dev'
  | 'schnell'
  | 'layered'
  | 'text-to-video'
  | 'image-to-video'
  | 'text-and-image-to-video'
  | 'speech-to-video';

/** A family, and what was recognised of its variants. */
export interface RecognisedFamily {
  readonly family: Family;
  readonly variant?: Variant;
}

interface FamilyRule {
  readonly family: Family;
  readonly fits: (tensors: TensorIndex) => boolean;
  readonly variant?: (tensors: TensorIndex) => Variant | undefined;
}

/** Input channels of a UNet: the latent's four, those of a masked image and its mask, or of an image to be edited. */
const UNET_INPUTS: ReadonlyMap<number | undefined, Variant> = new Map([
  [9, 'inpaint'],
  [8, 'edit']
]);

/** Input values of a Flux model: 64 of the latent, and those of what guides it. Schnell alone takes no guidance. */
const FLUX_INPUTS: ReadonlyMap<number | undefined, Variant> = new Map([
  [384, 'fill'],
  [128, 'control']
]);

/** Width of the text that a Flux.2 model takes. */
const FLUX2_CONTEXTS: ReadonlyMap<number | undefined, Variant> = new Map([
  [7680, 'klein'],
  [12288, 'klein'],
  [15360, 'dev']
]);

/** Latent channels that a Wan model takes: its own 16, with those of an image, or the 48 of the newer VAE. */
const WAN_INPUTS: ReadonlyMap<number | undefined, Variant> = new Map([
  [16, 'text-to-video'],
  [36, 'image-to-video'],
  [48, 'text-and-image-to-video']
]);

/**
 * The families, more particular ones before those whose tensors they share. What stable-diffusion.cpp goes by is the
 * source; widths are asked for besides where other models have the same names.
 */
const RULES: readonly FamilyRule[] = [
  { family: 'krea2', fits: (t) => t.has('txtfusion.projector.weight') || t.has('text_fusion.projector.weight') },
  { family: 'chroma-radiance', fits: (t) => t.hasUnder('nerf_final_layer_conv.') },
  { family: 'anima', fits: (t) => t.hasUnder('llm_adapter.') },
  { family: 'sd3', fits: (t) => t.hasUnder('joint_blocks.') },
  {
    family: 'qwen-image',
    // Mage-Flow has the same names and an input of 128.
    fits: (t) => t.has('transformer_blocks.0.img_mod.1.weight') && t.extent('img_in.weight', 1) !== 128,
    variant: (t) => (t.some((name) => name.includes('addition_t_embedding')) ? 'layered' : undefined)
  },
  { family: 'hunyuan-video', fits: (t) => t.hasUnder('txt_in.individual_token_refiner.') },
  {
    family: 'flux2',
    fits: (t) => t.has('double_stream_modulation_img.lin.weight') && FLUX2_CONTEXTS.has(t.extent('txt_in.weight', 1)),
    variant: (t) => FLUX2_CONTEXTS.get(t.extent('txt_in.weight', 1))
  },
  { family: 'ovis-image', fits: (t) => t.has('double_blocks.0.img_mlp.gate_proj.weight') },
  { family: 'chroma', fits: (t) => t.hasUnder('double_blocks.') && t.hasUnder('distilled_guidance_layer.') },
  {
    family: 'flux',
    fits: (t) => t.hasUnder('double_blocks.') && t.extent('txt_in.weight', 1) === T5_WIDTH && t.has('img_in.weight'),
    variant: (t) => FLUX_INPUTS.get(t.extent('img_in.weight', 1)) ?? (t.hasUnder('guidance_in.') ? 'dev' : 'schnell')
  },
  {
    family: 'flux',
    fits: (t) => t.hasUnder('single_transformer_blocks.') && t.extent('context_embedder.weight', 1) === T5_WIDTH,
    variant: (t) =>
      FLUX_INPUTS.get(t.extent('x_embedder.weight', 1)) ??
      (t.hasUnder('time_text_embed.guidance_embedder.') ? 'dev' : 'schnell')
  },
  // Both have the same names.
  { family: 'z-image', fits: (t) => t.has('cap_embedder.0.weight') && t.extent('cap_embedder.1.weight', 0) === 3840 },
  { family: 'lumina2', fits: (t) => t.has('cap_embedder.0.weight') && t.extent('cap_embedder.1.weight', 0) === 2304 },
  { family: 'wan', fits: (t) => t.has('blocks.0.cross_attn.norm_k.weight'), variant: wanVariant },
  { family: 'svd', fits: (t) => isUnet(t) && t.some((name) => name.endsWith('time_mixer.mix_factor')) },
  { family: 'sd1', fits: (t) => isUnet(t) && textWidth(t) === 768, variant: unetVariant },
  { family: 'sd2', fits: (t) => isUnet(t) && textWidth(t) === 1024, variant: unetVariant },
  { family: 'sdxl', fits: (t) => isUnet(t) && textWidth(t) === 2048, variant: unetVariant },
  { family: 'sdxl', fits: (t) => isUnet(t) && textWidth(t) === 1280, variant: () => 'refiner' }
];

/** Width of what T5-XXL makes of a text. */
export const T5_WIDTH = 4096;

/** The family of a diffusion model by its tensors; undefined when nothing is certain. */
export function recogniseFamily(tensors: TensorIndex): RecognisedFamily | undefined {
  const rule = RULES.find(({ fits }) => fits(tensors));
  if (!rule) return undefined;
  const variant = rule.variant?.(tensors);
  return { family: rule.family, ...(variant !== undefined && { variant }) };
}

/** As stable-diffusion.cpp names the layers, or as diffusers does. */
function isUnet(tensors: TensorIndex): boolean {
  return tensors.has('input_blocks.0.0.weight') || (tensors.has('conv_in.weight') && tensors.hasUnder('down_blocks.'));
}

/** Width of the text that the attention of a UNet takes. */
function textWidth(tensors: TensorIndex): number | undefined {
  return tensors.extentOfFirst('.attn2.to_k.weight', 1);
}

function unetVariant(tensors: TensorIndex): Variant | undefined {
  return UNET_INPUTS.get(tensors.extent('input_blocks.0.0.weight', 1) ?? tensors.extent('conv_in.weight', 1));
}

/** Channels are counted by values: some files fold the five dimensions of the first layer into four. */
function wanVariant(tensors: TensorIndex): Variant | undefined {
  if (tensors.hasUnder('casual_audio_encoder.') || tensors.hasUnder('audio_injector.')) return 'speech-to-video';
  const width = tensors.extent('patch_embedding.bias', 0);
  const values = tensors.get('patch_embedding.weight')?.elements;
  if (width === undefined || values === undefined) return undefined;
  const kernel = 1 * 2 * 2;
  return WAN_INPUTS.get(values / (width * kernel));
}
