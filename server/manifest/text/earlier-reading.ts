import type { Node } from 'jsonc-parser';

/** A text that was read, of which what did not change since need not be read again. */
export interface EarlierReading {
  readonly text: string;
  readonly root: Node;
  /** Entries that are no strict JSON. */
  readonly broken: ReadonlySet<Node>;
}

/** A node while its tree is made. */
export type WritableNode = { -readonly [Key in keyof Node]: Node[Key] };

interface Taken {
  readonly node: WritableNode;
  readonly parent: Node;
}

/**
 * The objects in the lists of an earlier version, by where they stand in a later one. Nodes are taken over and moved,
 * not copied: making them again is most of what reading costs. Until {@link adopt} the earlier tree is as it was.
 */
export class ReusableEntries {
  /** In UTF-16 units from the beginning: what both texts begin with. */
  private readonly sameUntil: number;
  /** Where in the later text begins what both texts end with. */
  private readonly sameFrom: number;
  /** By how many units what follows the change has moved. */
  private readonly shift: number;
  private readonly entries: readonly Node[];
  private at = 0;
  private readonly taken: Taken[] = [];

  constructor(
    private readonly earlier: EarlierReading,
    text: string
  ) {
    const most = Math.min(earlier.text.length, text.length);
    this.sameUntil = commonStart(earlier.text, text, most);
    const end = commonEnd(earlier.text, text, most - this.sameUntil);
    this.sameFrom = text.length - end;
    this.shift = text.length - earlier.text.length;
    this.entries = listsIn(earlier.root).flatMap(({ children = [] }) => children);
  }

  /** The object that stands at an offset of the later text; to be asked in the order of the text. */
  find(offset: number): Node | undefined {
    const before = this.offsetBefore(offset);
    if (before === undefined) return undefined;
    const node = this.seek(before);
    if (node?.offset !== before || node.type !== 'object') return undefined;
    const end = node.offset + node.length;
    if (this.earlier.broken.has(node)) return undefined;
    return offset >= this.sameFrom || end <= this.sameUntil ? node : undefined;
  }

  /** Takes an object over, once it is sure that all of the later text can be read. */
  take(node: Node, parent: Node): void {
    this.taken.push({ node, parent });
  }

  /** Whether there is anything that {@link adopt} would give to the later tree. */
  get areTaken(): boolean {
    return this.taken.length > 0;
  }

  /** Gives what was taken to the later tree. The earlier one must not be used any more. */
  adopt(): void {
    const { shift, sameFrom } = this;
    for (const { node, parent } of this.taken) {
      if (shift !== 0 && node.offset + shift >= sameFrom) moveNode(node, shift);
      node.parent = parent;
    }
  }

  private offsetBefore(offset: number): number | undefined {
    if (offset >= this.sameFrom) return offset - this.shift;
    return offset < this.sameUntil ? offset : undefined;
  }

  private seek(before: number): Node | undefined {
    for (;;) {
      const node = this.entries[this.at];
      if (!node || node.offset >= before) return node;
      this.at++;
    }
  }
}

/** Moves a node and what is in it. @param by UTF-16 units */
function moveNode(node: WritableNode, by: number): void {
  node.offset += by;
  if (node.colonOffset !== undefined && node.colonOffset >= 0) node.colonOffset += by;
  if (node.children) for (const child of node.children) moveNode(child, by);
}

/** What a node counts for among the values of a text: commas, opening brackets, and what is in it. */
export function valuesIn({ type, children }: Node): number {
  if (!children) return 0;
  let values = type === 'property' ? 0 : 1 + Math.max(0, children.length - 1);
  for (const child of children) values += valuesIn(child);
  return values;
}

/** The lists that are fields of a text's root. */
function listsIn({ type, children = [] }: Node): Node[] {
  if (type !== 'object') return [];
  return children.flatMap(({ children: parts }) => (parts?.[1]?.type === 'array' ? parts[1] : []));
}

/** Texts are compared in pieces of so many units, which takes far less time than unit by unit. */
const PIECE = 4096;

function commonStart(one: string, other: string, most: number): number {
  let same = 0;
  while (same + PIECE <= most && one.slice(same, same + PIECE) === other.slice(same, same + PIECE)) same += PIECE;
  while (same < most && one.charCodeAt(same) === other.charCodeAt(same)) same++;
  return same;
}

function commonEnd(one: string, other: string, most: number): number {
  let same = 0;
  while (same + PIECE <= most && pieceFromEnd(one, same) === pieceFromEnd(other, same)) same += PIECE;
  while (same < most && one.charCodeAt(one.length - 1 - same) === other.charCodeAt(other.length - 1 - same)) same++;
  return same;
}

function pieceFromEnd(text: string, behind: number): string {
  return text.slice(text.length - behind - PIECE, text.length - behind);
}
