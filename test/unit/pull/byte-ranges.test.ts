import { describe, expect, it } from 'vitest';
import {
  type ByteRanges,
  contiguousBytes,
  countBytes,
  missingRanges,
  withRange
} from '../../../server/pull/partial/byte-ranges';
import { PieceQueue } from '../../../server/pull/transfer/piece-queue';
import { Random } from '../../support/random';

const PIECE_BYTES = 1024 * 1024;

describe('ranges of bytes', () => {
  it('that touch or overlap become one', () => {
    const ranges = [
      { start: 10, end: 20 },
      { start: 30, end: 40 }
    ];
    expect(withRange(ranges, { start: 20, end: 30 })).toEqual([{ start: 10, end: 40 }]);
    expect(withRange(ranges, { start: 0, end: 5 })).toEqual([{ start: 0, end: 5 }, ...ranges]);
    expect(withRange(ranges, { start: 5, end: 5 })).toBe(ranges);
  });

  it('say the same as a set of bytes, whatever the order of additions', () => {
    const random = new Random(1);
    for (let round = 0; round < 300; round += 1) {
      const bytes = new Set<number>();
      let ranges: ByteRanges = [];
      for (let additions = 0; additions < 12; additions += 1) {
        const start = random.below(60);
        const end = start + random.below(12);
        for (let byte = start; byte < end; byte += 1) bytes.add(byte);
        ranges = withRange(ranges, { start, end });
      }
      expect(countBytes(ranges)).toBe(bytes.size);
      const missing = missingRanges(ranges, 80).flatMap(({ start, end }) =>
        Array.from({ length: end - start }, (_, i) => start + i)
      );
      expect(missing).toEqual(Array.from({ length: 80 }, (_, i) => i).filter((byte) => !bytes.has(byte)));
      const gap = Array.from({ length: 80 }, (_, i) => i).find((byte) => !bytes.has(byte));
      expect(contiguousBytes(ranges)).toBe(gap);
    }
  });
});

describe('the queue of pieces', () => {
  it('hands out every missing byte once, in order, cut at multiples of the piece size', () => {
    const queue = new PieceQueue([{ start: 5, end: 2 * PIECE_BYTES + 7 }], PIECE_BYTES);
    expect([queue.take(), queue.take(), queue.take(), queue.take()]).toEqual([
      { start: 5, end: PIECE_BYTES },
      { start: PIECE_BYTES, end: 2 * PIECE_BYTES },
      { start: 2 * PIECE_BYTES, end: 2 * PIECE_BYTES + 7 },
      undefined
    ]);
  });

  it('hands out again what was given back, first what comes first', () => {
    const queue = new PieceQueue([{ start: 0, end: 3 * PIECE_BYTES }], PIECE_BYTES);
    queue.take();
    queue.giveBack({ start: 100, end: PIECE_BYTES });
    expect(queue.take()).toEqual({ start: 100, end: PIECE_BYTES });
    expect(queue.takeAt(2 * PIECE_BYTES)).toBeUndefined();
    expect(queue.takeAt(PIECE_BYTES)).toEqual({ start: PIECE_BYTES, end: 2 * PIECE_BYTES });
  });
});
