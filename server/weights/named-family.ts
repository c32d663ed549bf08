import type { Family } from './families';

/** What publishers call the diffusion models of a family, the more particular name first. */
const NAMES: readonly (readonly [RegExp, Family])[] = [
  [/flux[._-]?2/i, 'flux2'],
  [/flux/i, 'flux'],
  [/chroma[._-]?radiance/i, 'chroma-radiance'],
  [/chroma/i, 'chroma'],
  [/qwen[._-]?image/i, 'qwen-image'],
  [/(?<![a-z])z[._-]?image/i, 'z-image'],
  [/(?<![a-z])wan[._-]?2/i, 'wan']
];

/** The family that the name of a diffusion model tells; undefined for every name that tells none. */
export function namedFamily(filename: string): Family | undefined {
  return NAMES.find(([pattern]) => pattern.test(filename))?.[1];
}
