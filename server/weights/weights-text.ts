import { byteText } from '../../shared/byte-text';
import { wordList } from '../../shared/word-list';
import { COMPONENT_NAMES } from './components';
import type { StoredType, WeightsDescription } from './describe';
import { FAMILY_NAMES } from './families';

/** Types that hold less than this share of the bytes are details: biases and norms. */
const SMALL_SHARE = 0.02;

/** What weights are, for people: "Flux diffusion model (fill)". Undefined while nobody knows. */
export function identityText({ component, family, variant }: WeightsDescription): string | undefined {
  if (component === undefined) return undefined;
  const kind = component === 'model' ? 'checkpoint' : COMPONENT_NAMES[component];
  const words = [
    ...(family ? [FAMILY_NAMES[family]] : []),
    kind,
    ...(variant ? [`(${variant.replaceAll('-', ' ')})`] : [])
  ];
  return words.join(' ');
}

/** The formats by the names that people know. */
export const FORMAT_NAMES: Readonly<Record<WeightsDescription['format'], string>> = {
  safetensors: 'safetensors',
  'safetensors-index': 'safetensors in several files',
  gguf: 'GGUF',
  pickle: 'pickle, which is not read: that can run code',
  'torch-zip': 'PyTorch archive with a pickle, which is not read: that can run code'
};

/** How the values are stored, most bytes first: "Q4_K and F32". */
function typesText(types: readonly StoredType[]): string {
  const total = types.reduce((sum, { bytes }) => sum + bytes, 0);
  return wordList(types.filter(({ bytes }) => bytes >= total * SMALL_SHARE).map(({ dtype }) => dtype));
}

/** A number of parameters for people: "11.9 billion". */
export function parametersText(parameters: number): string {
  if (parameters >= 999.5e6) return `${(parameters / 1e9).toFixed(1)} billion`;
  if (parameters >= 999.5e3) return `${Math.round(parameters / 1e6)} million`;
  return String(parameters);
}

/** Everything that is known, in one sentence. */
export function weightsSentence(description: WeightsDescription): string {
  const { format, parameters, types, memoryBytes } = description;
  const what = [identityText(description), FORMAT_NAMES[format]].filter(Boolean).join(', ');
  if (types.length === 0) return `${what}.`;
  return `${what}: ${parametersText(parameters)} parameters in ${typesText(types)}, ${byteText(memoryBytes)} of memory.`;
}
