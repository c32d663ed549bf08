import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManifestPatterns } from '../../../server/manifest/recognition/manifest-patterns';

const FOLDER = resolve('/workspace');

function patternsOf(...exclude: string[]) {
  const refused: string[] = [];
  const patterns = new ManifestPatterns([{ folder: FOLDER, include: [], exclude }], (pattern) => refused.push(pattern));
  return { refused, matches: (path: string) => patterns.excluding(resolve(FOLDER, path)) !== undefined };
}

describe('a pattern', () => {
  it.each(['*a*a*a*a*a*a*b', '**/*a*a*a*a*a*a*b', '{x,*a*{a*a*a,/}*a*a*b}', '[b*]*a*a*a*a*b', 'a'.repeat(1001)])(
    'is refused when matching it may take for ever: %s',
    (pattern) => {
      const { refused, matches } = patternsOf(pattern, 'other/**');
      expect(refused).toEqual([pattern]);
      expect(matches(`${'a'.repeat(60)}.manifest.json`)).toBe(false);
      expect(matches('other/manifest.json')).toBe(true);
    }
  );

  it.each([
    ['*a*b*.json', 'xaxbx.json'],
    ['**/*/**/*-*/*.{old,bak}.*', 'a/b/c/d-e/f.old.json'],
    ['**/**/manifest.json', 'a/b/manifest.json'],
    ['v*/?[0-9]*/**', 'v1/a2/manifest.json']
  ])('is used with a few stars in each name: %s', (pattern, path) => {
    const { refused, matches } = patternsOf(pattern);
    expect(refused).toEqual([]);
    expect(matches(path)).toBe(true);
  });

  it('with nested alternatives of extended globs means its characters alone', () => {
    const { matches } = patternsOf('+(+(+(a)))b');
    expect(matches(`${'a'.repeat(60)}.manifest.json`)).toBe(false);
  });
});
