import { describe, expect, it } from 'vitest';

const content = (last: string): Buffer => Buffer.concat([Buffer.alloc(1_000_000, 'a'), Buffer.from(last)]);

describe('two contents', () => {
  it('are equal when all their bytes are, wherever they are found', () => {
    expect(content('z')).toEqual(content('z'));
    expect({ files: [content('z')] }).toMatchObject({ files: [content('z')] });
    expect(new Map([['weights', content('z')]])).toEqual(new Map([['weights', content('z')]]));
  });

  it('differ when one byte does, or one ends earlier', () => {
    for (const other of [content('y'), content(''), content('zz')]) {
      expect({ bytes: content('z') }).not.toEqual({ bytes: other });
    }
  });
});
