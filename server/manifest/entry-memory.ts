import type { Node } from 'jsonc-parser';
import { LARGEST_MANIFEST_BYTES } from '../../shared/manifest/source-manifest';
import type { Finding, TextRange } from './diagnostic';

/** A finding, and the place among all rules of the one that it is of: the lower, the more fundamental. */
export interface RankedFinding {
  readonly rank: number;
  readonly finding: Finding;
}

/** Enough for two versions of the largest manifest, in UTF-16 units; then all is forgotten. */
const MOST_UNITS = 2 * LARGEST_MANIFEST_BYTES;

/**
 * What the rules found in single entries, by their texts, with offsets from the beginning of the entry. Whoever types
 * changes one entry, and the others need not be looked at again.
 */
export class EntryMemory {
  private readonly known = new Map<string, readonly RankedFinding[]>();
  private units = 0;
  /** Of nodes that later trees take over: they need not even be compared. */
  private readonly byNode = new WeakMap<Node, readonly RankedFinding[]>();

  /** What was found in an entry that is the same node still, whose text is the same then. */
  recallNode(node: Node): readonly RankedFinding[] | undefined {
    return this.byNode.get(node);
  }

  rememberNode(node: Node, findings: readonly RankedFinding[]): void {
    this.byNode.set(node, findings);
  }

  /** What was found in an entry of this text; undefined when nobody looked. */
  recall(text: string): readonly RankedFinding[] | undefined {
    return this.known.get(text);
  }

  remember(text: string, findings: readonly RankedFinding[]): void {
    if (this.units + text.length > MOST_UNITS) {
      this.known.clear();
      this.units = 0;
    }
    this.units += text.length;
    // A part of a string keeps all of it in memory; a copy does not.
    this.known.set(Buffer.from(text, 'utf16le').toString('utf16le'), findings);
  }
}

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
