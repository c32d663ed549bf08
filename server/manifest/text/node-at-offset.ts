import type { Node } from 'jsonc-parser';

/**
 * The innermost node at an offset. A search for each level: a list of ten thousand files is not walked through.
 * @returns undefined outside of the root; what was cut off holds nothing
 */
export function nodeAtOffset(root: Node, offset: number): Node | undefined {
  if (!holds(root, offset)) return undefined;
  let node = root;
  for (;;) {
    const children = node.children ?? [];
    const child = children[lastBegunIndex(children, offset)];
    if (!child || !holds(child, offset)) return node;
    node = child;
  }
}

/** Index of the last of some nodes, in document order, that begins at or before an offset; -1 when none does. */
export function lastBegunIndex(nodes: readonly Node[], offset: number): number {
  let [begun, behind] = [-1, nodes.length];
  while (behind - begun > 1) {
    const middle = Math.floor((begun + behind) / 2);
    if ((nodes[middle]?.offset ?? 0) <= offset) begun = middle;
    else behind = middle;
  }
  return begun;
}

/** Whether an offset is in a node that was read to its end. */
export function holds(node: Node, offset: number): boolean {
  return node.offset <= offset && offset < node.offset + node.length;
}
