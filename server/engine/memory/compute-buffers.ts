import type { Family } from '../../weights/families';

/** What decides how much room the engine takes for computing one image, besides its weights. */
export interface RunShape {
  /** In pixels, as the engine rounds it. */
  readonly width: number;
  readonly height: number;
  /** Frames of a video; 1 for an image. */
  readonly frames: number;
  readonly flashAttention: boolean;
  readonly vaeTiling: boolean;
  /** Whether a tiny autoencoder takes the place of the VAE. */
  readonly hasTinyDecoder: boolean;
}

/** The attention of a diffusion model where it takes the most room. */
interface Attention {
  /** Pixels of the image along the side of a token. */
  readonly side: number;
  readonly heads: number;
  /** Tokens of the prompt that take part. */
  readonly textTokens: number;
  /** Bytes that all other values of a layer take for each token, or for each value of the latent in a UNet. */
  readonly layerBytes: number;
}

/** Values of a latent lie this many pixels apart. */
const LATENT_SIDE = 8;

/** The widest convolution of a UNet at full size: 320 channels, 3 × 3, in 32 bits. */
const UNET_LAYER_BYTES = 320 * 9 * 4;

const unet = (side: number, heads: number): Attention => ({ side, heads, textTokens: 0, layerBytes: UNET_LAYER_BYTES });

/** Transformers keep about sixteen values of 32 bits for each of their channels. */
const transformer = (heads: number, width: number, textTokens: number): Attention => ({
  side: 16,
  heads,
  textTokens,
  layerBytes: width * 16 * 4
});

/** By the architecture of each family; of those with models of several sizes, the largest. */
const ATTENTION: Readonly<Partial<Record<Family, Attention>>> = {
  sd1: unet(8, 8),
  sd2: unet(8, 5),
  sdxl: unet(16, 10),
  sd3: transformer(38, 2432, 154),
  flux: transformer(24, 3072, 256),
  flux2: transformer(48, 6144, 512),
  chroma: transformer(24, 3072, 256),
  'qwen-image': transformer(24, 3072, 256),
  'z-image': transformer(30, 3840, 256),
  lumina2: transformer(24, 2304, 256),
  // The prompt has an attention of its own.
  wan: transformer(40, 5120, 0)
};

/** Families whose VAE is that of videos. */
const VIDEO_VAES: ReadonlySet<Family> = new Set(['wan', 'qwen-image', 'anima']);

/** Bytes of 32-bit values that decoding takes for a pixel: 13 layers of 128 channels, and what logs of engines say. */
const VAE_PIXEL_BYTES = 13 * 128 * 4;
const VIDEO_VAE_PIXEL_BYTES = 7720;
/** 7.5 layers of 64 channels, as recorded. */
const TINY_PIXEL_BYTES = 1920;

/** Pixels of a tile: the engine decodes 32 × 32 values of the latent at a time. */
const TILE_PIXELS = (32 * LATENT_SIDE) ** 2;

/** Bytes that the diffusion model takes for computing; undefined for families that nobody has looked at. */
export function diffusionBuffer(family: Family, shape: RunShape): number | undefined {
  const attention = ATTENTION[family];
  if (!attention) return undefined;
  const { side, heads, textTokens, layerBytes } = attention;
  const pixels = shape.width * shape.height;
  const latentFrames = framesOfLatent(shape.frames);
  const tokens = (pixels / side ** 2) * latentFrames + textTokens;
  const values = layerBytes === UNET_LAYER_BYTES ? pixels / LATENT_SIDE ** 2 : tokens;
  // Each token looks at each other one, in every head; flash attention never has all of that at once.
  const scores = shape.flashAttention ? 0 : tokens ** 2 * heads * 4;
  return scores + values * layerBytes;
}

/** Bytes that turning the latent into pixels takes. */
export function decoderBuffer(family: Family | undefined, shape: RunShape): number {
  const pixels = shape.width * shape.height;
  const decoded = shape.vaeTiling ? Math.min(pixels, TILE_PIXELS) : pixels;
  const isVideo = family !== undefined && VIDEO_VAES.has(family);
  const usual = isVideo ? VIDEO_VAE_PIXEL_BYTES : VAE_PIXEL_BYTES;
  return decoded * framesOfLatent(shape.frames) * (shape.hasTinyDecoder ? TINY_PIXEL_BYTES : usual);
}

/** Four frames of a video share one of the latent, but for the first. */
function framesOfLatent(frames: number): number {
  return 1 + Math.floor((frames - 1) / 4);
}
