import { describe, expect, it } from 'vitest';
import { diagnose } from '../../../server/manifest/diagnostics';
import { readInstalledManifest, readSourceManifest } from '../../../server/manifest/read';
import type { Dialect } from '../../../server/manifest/recognition/dialect';
import { recognise } from '../../../server/manifest/recognition/recognise';
import { parseManifestText } from '../../../server/manifest/text/document';
import { parseSourceAddress } from '../../../shared/source-address';
import { Random } from '../../support/random';
import { mutated, SEEDS } from './mutated';

const SEED = 20_260_801;

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
