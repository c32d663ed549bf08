import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../server/manifest/diagnostics';
import type { Dialect } from '../../../server/manifest/dialect';
import { parseManifestText } from '../../../server/manifest/document';
import { readInstalledManifest, readSourceManifest } from '../../../server/manifest/read';
import { recognise } from '../../../server/manifest/recognise';
import { parseSourceAddress } from '../../../shared/source-address';
import { Random } from '../../support/random';
import { DIGEST, installedWith, sourceFile, sourceWith } from './marked';

const SEED = 20_260_801;

const SEEDS: readonly string[] = [
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

function mutated(text: string, random: Random): string {
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

describe('whatever is typed', () => {
  it('never throws, and every row lies within the text and is the only one there', () => {
    const random = new Random(SEED);
    for (let round = 0; round < 6000; round++) {
      const text = mutated(random.pick(SEEDS), random);
      const dialect = random.pick<Dialect>(['source', 'installed', 'artifact']);
      const document = parseManifestText(text);
      recognise(document, {
        path: 'manifest.json',
        liesInCacheRoot: false,
        matchesInclude: false,
        previous: undefined
      });
      const rows = diagnose(document, dialect, { reportSyntax: true });
      const places = new Set(rows.map(({ start, end }) => `${start}:${end}`));
      const ranges = rows.flatMap((row) => [row, ...(row.related ?? [])]);
      const within = ranges.every(({ start, end }) => 0 <= start && start <= end && end <= text.length);
      if (places.size !== rows.length || !within) expect.fail(text);
    }
  });

  it('is refused if JSON.parse refuses it, and what is read is what JSON.parse reads', () => {
    const random = new Random(SEED + 1);
    let read = 0;
    for (let round = 0; round < 6000; round++) {
      const text = mutated(random.pick(SEEDS), random);
      const reading = random.pick([readSourceManifest, readInstalledManifest])(text);
      if (!reading.ok) {
        expect(reading.problems.length, text).toBeGreaterThan(0);
        continue;
      }
      read++;
      const { name, files } = JSON.parse(text.replace(/^\ufeff/, ''));
      expect(reading.manifest, text).toMatchObject({ name, files: { length: files.length } });
    }
    expect(read).toBeGreaterThan(100);
  });

  it('is an address of exactly one kind, or refused with a reason', () => {
    const random = new Random(SEED + 2);
    const seeds = [
      'https://example.com:80/a/b?x=1#y',
      'hf:owner/repo@main/a/b.bin',
      'file:///a/b',
      's3://bucket/a/b',
      'a/b'
    ];
    const scraps = [
      '/',
      '//',
      '..',
      '@',
      ':',
      '%',
      '%2f',
      '\\',
      '[',
      ']',
      '#',
      '?',
      ' ',
      '\0',
      '\ud800',
      '٠',
      '。',
      'xn--',
      '😀'
    ];
    for (let round = 0; round < 6000; round++) {
      const seed = random.pick(seeds);
      const at = random.below(seed.length + 1);
      const text =
        seed.slice(0, at) + random.pick(scraps).repeat(1 + random.below(3)) + seed.slice(at + random.below(4));
      const address = parseSourceAddress(text);
      if (address.kind === 'refused') expect(address.reason, text).not.toBe('');
      if (address.kind === 'hub' || address.kind === 'file') {
        expect(address.path.split('/').slice(1), text).not.toContain('..');
        expect(address.path, text).not.toMatch(/[\\\0]/);
      }
    }
  });
});
