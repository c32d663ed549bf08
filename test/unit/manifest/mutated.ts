import type { Random } from '../../support/random';
import { DIGEST, installedWith, sourceFile, sourceWith } from './marked';

/** Manifests that are mostly right. */
export const SEEDS: readonly string[] = [
  sourceWith({
    files: `[${sourceFile({ sha256: `"${DIGEST}"`, size_bytes: '7' })},${sourceFile({ filename: '"b"' })}]`
  }),
  sourceWith({ task: '"upscale"', defaults: '{ "width": 512, "cfg_scale": 1.5 }', note: '[[{ "a": "\\u0041" }]]' }),
  installedWith({}),
  `{ "$schema": "diffusion-dock.artifact.schema.json", "files": [{ "name": "a/b", "sha256": "${DIGEST}" }] }`
];

const SCRAPS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\n',
  '\r\n',
  '//',
  '/*',
  '*/',
  '\0',
  '\ud800',
  '😀',
  '\ufeff',
  '-',
  '1e999',
  '0',
  'null',
  '"__proto__":',
  '"files":',
  '"constructor":{}',
  '..',
  'é',
  '\\u12'
];

/** What may become of a text while somebody writes. */
export function mutated(text: string, random: Random): string {
  let result = text;
  for (let edits = 1 + random.below(4); edits > 0; edits--) {
    const at = random.below(result.length + 1);
    const length = random.below(random.pick([1, 4, 40]));
    const insertion = random.pick([
      () => '',
      () => random.pick(SCRAPS),
      () => random.pick(SCRAPS).repeat(random.below(90)),
      () => result.slice(at, at + 30)
    ])();
    result = result.slice(0, at) + insertion + result.slice(at + length);
  }
  return result;
}
