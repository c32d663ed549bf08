/** Bytes from `start` up to, but not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Disjoint ranges in order, none empty, none touching the next. */
export type ByteRanges = readonly ByteRange[];

export const NO_RANGES: ByteRanges = [];

/** Adds a range; what overlaps or touches becomes one. */
export function withRange(ranges: ByteRanges, { start, end }: ByteRange): ByteRanges {
  if (start >= end) return ranges;
  const before = ranges.filter((range) => range.end < start);
  const after = ranges.filter((range) => range.start > end);
  const merged = ranges.slice(before.length, ranges.length - after.length);
  const joined = {
    start: Math.min(start, merged[0]?.start ?? start),
    end: Math.max(end, merged.at(-1)?.end ?? end)
  };
  return [...before, joined, ...after];
}

/** What is missing of `total` bytes. */
export function missingRanges(ranges: ByteRanges, total: number): ByteRanges {
  const missing: ByteRange[] = [];
  let position = 0;
  for (const { start, end } of ranges) {
    if (start > position) missing.push({ start: position, end: Math.min(start, total) });
    position = Math.max(position, end);
  }
  if (position < total) missing.push({ start: position, end: total });
  return missing;
}

/** Bytes from the first one that are there without a gap. */
export function contiguousBytes(ranges: ByteRanges): number {
  const [first] = ranges;
  return first?.start === 0 ? first.end : 0;
}

/** How many bytes there are in all. */
export function countBytes(ranges: ByteRanges): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}
