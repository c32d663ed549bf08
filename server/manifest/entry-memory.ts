import type { Node } from 'jsonc-parser';
import type { Finding, TextRange } from './diagnostic';

/** A finding, and the place among all rules of the one that it is of: the lower, the more fundamental. */
export interface RankedFinding {
  readonly rank: number;
  readonly finding: Finding;
}

/**
 * What the rules found in single entries, with offsets from the beginning of the entry. Later versions of a text take
 * over the nodes of entries that did not change, which need not be looked at again.
 */
export type EntryMemory = WeakMap<Node, readonly RankedFinding[]>;

/** The same finding somewhere else. @param by UTF-16 units */
export function moved({ rank, finding }: RankedFinding, by: number): RankedFinding {
  const { judgedUntil, related } = finding;
  return {
    rank,
    finding: {
      ...finding,
      ...movedRange(finding, by),
      ...(judgedUntil !== undefined && { judgedUntil: judgedUntil + by }),
      ...(related && { related: related.map((place) => ({ ...place, ...movedRange(place, by) })) })
    }
  };
}

function movedRange({ start, end }: TextRange, by: number): TextRange {
  return { start: start + by, end: end + by };
}
