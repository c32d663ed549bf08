import type { Node } from 'jsonc-parser';

/** Visits every node, parents first. The recursion is as deep as documents may be. */
export function forEachNode(root: Node | undefined, visit: (node: Node) => void): void {
  if (!root) return;
  visit(root);
  for (const child of root.children ?? []) forEachNode(child, visit);
}
