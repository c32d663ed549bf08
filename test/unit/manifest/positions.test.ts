import { describe, expect, it } from 'vitest';
import { LineIndex } from '../../../server/manifest/text/positions';

describe('a position', () => {
  it.each([
    [0, 0, 0],
    [2, 0, 2],
    [3, 1, 0],
    [4, 1, 1],
    [5, 1, 2],
    [7, 2, 0],
    [8, 3, 0],
    [9, 3, 1],
    [10, 3, 2]
  ])('of offset %d is line %d, character %d, in UTF-16 units', (offset, line, character) => {
    expect(new LineIndex('ab\n😀\r\n\rzz').positionAt(offset)).toEqual({ line, character });
  });

  it('stays within the text', () => {
    const lines = new LineIndex('a\nb');
    expect(lines.positionAt(-1)).toEqual({ line: 0, character: 0 });
    expect(lines.positionAt(99)).toEqual({ line: 1, character: 1 });
    expect(new LineIndex('').positionAt(0)).toEqual({ line: 0, character: 0 });
  });
});
