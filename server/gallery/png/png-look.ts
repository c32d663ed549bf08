import type { Video } from '../avi';
import { decodePng, MOST_PIXELS, type PngImage } from './png';
import { unfilter } from './png-filters';
import type { PngHeader } from './png-scanlines';

/**
 * What the pixels of an image look like at a glance. `plain`: all of one colour. `noise`: pixels that have nothing to
 * do with their neighbours. `unjudged`: kinds of pixels that engines do not write.
 */
export type ImageLook =
  | { readonly kind: 'picture' | 'noise' | 'unjudged' }
  | { readonly kind: 'plain'; readonly colour: 'black' | 'white' | 'grey' | 'coloured' };

/** An image whose pixels were judged. */
export interface ExaminedImage extends PngImage {
  readonly look: ImageLook;
  /** Set when it is a video: what was counted. */
  readonly video?: Pick<Video, 'frames' | 'fps'>;
}

/**
 * Decodes a whole PNG, as `readPng` does, and judges its pixels.
 * @throws Failure 'bad-image' with the reason
 */
export function examinePng(bytes: Uint8Array): ExaminedImage {
  const { header, raw, parameters } = decodePng(bytes, MOST_PIXELS);
  const { width, height } = header;
  return { width, height, ...(parameters !== undefined && { parameters }), look: lookOf(header, raw) };
}

/**
 * The most levels of 256 between the darkest and the lightest pixel of a plain image. The flattest picture that was
 * recorded spans 63, the one of weights that are all zeros spans none.
 */
const PLAIN_SPAN = 3;

/** How far the channels of a grey may lie apart, in levels. */
const GREY_SPAN = 3;

/**
 * How alike neighbouring pixels of noise are at most: 1 for the same, 0 for no relation. Every recorded image is at
 * least at 0.85 in both directions, images of chance alone at 0.
 */
const NOISE_LIKENESS = 0.3;

/** Smaller images are not taken for noise: chance alone could make them look so. */
const NOISE_PIXELS = 32 * 32;

/** How far the levels of noise lie from their mean at least, in levels. */
const NOISE_DEVIATION = 8;

/** How heavy the tails of noise are at most: 1.8 is the kurtosis of even, 3 of normal chance; a starry sky has more. */
const NOISE_KURTOSIS = 6;

/** @param raw the scanlines, which this takes the filters off */
function lookOf(header: PngHeader, raw: Uint8Array): ImageLook {
  const { bitsPerPixel, channels, isInterlaced, needsPalette, width, height } = header;
  if (bitsPerPixel !== channels * 8 || isInterlaced || needsPalette) return { kind: 'unjudged' };
  unfilter(raw, { step: 1 + width * channels, distance: channels });
  const colours = channels < 3 ? 1 : 3;
  const spans = spansOf(raw, { width, height, channels, colours });
  if (spans.every(({ least, most }) => most - least <= PLAIN_SPAN)) return { kind: 'plain', colour: colourOf(spans) };
  if (width * height < NOISE_PIXELS) return { kind: 'picture' };
  return { kind: isNoise(raw, { width, height, channels, colours }) ? 'noise' : 'picture' };
}

interface Grid {
  readonly width: number;
  readonly height: number;
  /** Bytes of a pixel. */
  readonly channels: number;
  /** How many of them are colours. */
  readonly colours: number;
}

interface Span {
  least: number;
  most: number;
}

function spansOf(raw: Uint8Array, { width, height, channels, colours }: Grid): Span[] {
  const spans = Array.from({ length: colours }, (): Span => ({ least: 255, most: 0 }));
  const step = 1 + width * channels;
  for (const [channel, span] of spans.entries()) {
    for (let line = 0; line < height; line += 1) {
      const end = (line + 1) * step;
      for (let at = line * step + 1 + channel; at < end; at += channels) {
        const value = raw[at] ?? 0;
        if (value < span.least) span.least = value;
        if (value > span.most) span.most = value;
      }
    }
  }
  return spans;
}

function colourOf(spans: readonly Span[]): 'black' | 'white' | 'grey' | 'coloured' {
  const least = Math.min(...spans.map((span) => span.least));
  const most = Math.max(...spans.map((span) => span.most));
  if (most - least > PLAIN_SPAN + GREY_SPAN) return 'coloured';
  if (most <= PLAIN_SPAN + GREY_SPAN) return 'black';
  return least >= 255 - PLAIN_SPAN - GREY_SPAN ? 'white' : 'grey';
}

/** Told from the first colour. */
function isNoise(raw: Uint8Array, grid: Grid): boolean {
  const { variance, kurtosis } = spreadOf(raw, grid);
  if (variance < NOISE_DEVIATION ** 2 || kurtosis > NOISE_KURTOSIS) return false;
  const { across, down } = differencesOf(raw, grid);
  const isUnlike = (difference: number): boolean => Math.abs(1 - difference / (2 * variance)) < NOISE_LIKENESS;
  return isUnlike(across) && isUnlike(down);
}

function spreadOf(raw: Uint8Array, { width, height, channels }: Grid): { variance: number; kurtosis: number } {
  const counts = new Float64Array(256);
  const step = 1 + width * channels;
  for (let line = 0; line < height; line += 1) {
    const end = (line + 1) * step;
    for (let at = line * step + 1; at < end; at += channels) counts[raw[at] ?? 0] = (counts[raw[at] ?? 0] ?? 0) + 1;
  }
  const pixels = width * height;
  const mean = counts.reduce((sum, count, level) => sum + count * level, 0) / pixels;
  const moment = (power: number): number =>
    counts.reduce((sum, count, level) => sum + count * (level - mean) ** power, 0) / pixels;
  const variance = moment(2);
  return { variance, kurtosis: variance > 0 ? moment(4) / variance ** 2 : 0 };
}

/** The mean square of what a pixel differs by from the one to the left, and from the one above. */
function differencesOf(raw: Uint8Array, { width, height, channels }: Grid): { across: number; down: number } {
  const step = 1 + width * channels;
  let [across, down] = [0, 0];
  for (let line = 0; line < height; line += 1) {
    const begin = line * step + 1;
    for (let at = begin; at < begin + width * channels; at += channels) {
      const value = raw[at] ?? 0;
      if (at > begin) across += (value - (raw[at - channels] ?? 0)) ** 2;
      if (line > 0) down += (value - (raw[at - step] ?? 0)) ** 2;
    }
  }
  return { across: across / Math.max(1, (width - 1) * height), down: down / Math.max(1, width * (height - 1)) };
}
