import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyBelow, parseStoreKey, storeKey } from '../../../server/artifacts/store-key';
import { Failure } from '../../../shared/failure';

describe('the key of an object', () => {
  it.each([
    [['tiny-sd1', 'attempt', 'unet', 'model.Q4_0.gguf'], 'tiny-sd1/attempt/unet/model.Q4_0.gguf'],
    [['SDXL base', '50%', 'a/b'], 'SDXL%20base/50%25/a%2fb'],
    [['grün', '.hidden', 'end.', '_dock'], 'gr%c3%bcn/%2ehidden/end%2e/%5fdock'],
    [['...', 'CON', 'nul.txt', 'console'], '%2e.%2e/%43ON/%6eul.txt/console']
  ])('of %j is %j', (segments, key) => {
    expect(storeKey(...segments)).toBe(key);
  });

  it('has our own segments as they are, and no user’s segment is like them', () => {
    expect(storeKey('tiny', { reserved: '_current.json' })).toBe('tiny/_current.json');
    expect(storeKey('tiny', '_current.json')).not.toBe('tiny/_current.json');
  });

  it('is different for different segments, and one that is read back as it is', () => {
    const seen = new Map<string, string>();
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'A', '.', '_', '%', '/', '2', 'e', '~', '-', 'é'), maxLength: 6 })
    );
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 3 }), (segments) => {
        fc.pre(segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..'));
        const key = storeKey(...segments);
        const told = JSON.stringify(segments);
        expect(seen.get(key) ?? told).toBe(told);
        seen.set(key, told);
        expect(key).toMatch(/^[A-Za-z0-9._%/-]+$/);
        expect(key.split('/').map(decodeURIComponent)).toEqual(segments);
        expect(parseStoreKey(key)).toBe(key);
      }),
      { seed: 7, numRuns: 400 }
    );
  });

  it('keeps long names short, and apart from each other', () => {
    const names = [...['a', 'b'].map((end) => `${'x'.repeat(300)}${end}`), '重'.repeat(80), `${'重'.repeat(79)}軽`];
    const keys = names.map((name) => storeKey(name));
    expect(new Set(keys).size).toBe(names.length);
    for (const key of keys) {
      expect(key.length).toBeLessThanOrEqual(120);
      expect(parseStoreKey(key)).toBe(key);
    }
  });

  it.each([[['']], [['.']], [['..']], [['a', '', 'b']], [['a', '..', 'b']], [['\ud800']]])(
    'is refused for %j',
    (segments) => {
      expect(() => storeKey(...segments)).toThrow(Failure);
      expect(() => keyBelow(storeKey('parent'), ...segments)).toThrow(/cannot be a name in a store/);
    }
  );

  it('is refused when it is too long for S3', () => {
    const deep = Array.from({ length: 20 }, () => 'x'.repeat(60));
    expect(() => storeKey(...deep)).toThrow(/is longer than 800 bytes/);
  });

  it('lies below another one', () => {
    expect(keyBelow(storeKey('tiny', 'a b'), 'c d', 'e')).toBe(storeKey('tiny', 'a b', 'c d', 'e'));
  });

  it.each(['', '/', 'a//b', '/a', 'a/', 'a/../b', 'a/./b', '.a', 'a.', 'a b', 'a%2Fb', 'a%', 'a\\b', 'a@', 'é', 'a~b'])(
    'is not what a store lists as %j',
    (text) => {
      expect(parseStoreKey(text)).toBeUndefined();
    }
  );
});
