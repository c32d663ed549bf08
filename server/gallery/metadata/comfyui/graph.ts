/** A value of a node's input: given, or taken from another node's output. */
export type Input =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'link'; readonly node: string; readonly output: number };

/** A node of a ComfyUI graph. */
export interface GraphNode {
  readonly id: string;
  /** The class of the node, for example "KSampler". */
  readonly type: string;
  readonly inputs: ReadonlyMap<string, Input>;
}

/** Nodes by id. */
export type Graph = ReadonlyMap<string, GraphNode>;

/** Nodes of a graph that are read; large workflows have some hundred. */
export const MOST_NODES = 5000;

/** The longest chain of links that is followed. */
const LONGEST_CHAIN = 100;

/** Inputs of nodes that do nothing but hold a value. */
const HOLDERS = ['value', 'text', 'string', 'String', 'seed', 'int', 'float', 'number', 'Number'];

/** The node that an input comes from. */
export function nodeAt(graph: Graph, node: GraphNode | undefined, input: string): GraphNode | undefined {
  const found = node?.inputs.get(input);
  return found?.kind === 'link' ? graph.get(found.node) : undefined;
}

/** The value of an input, wherever in the graph it is held; undefined when it is computed. */
export function valueAt(graph: Graph, node: GraphNode, input: string): unknown {
  let found = node.inputs.get(input);
  for (let length = 0; found?.kind === 'link' && length < LONGEST_CHAIN; length += 1) {
    const holder = graph.get(found.node);
    const [only, ...others] = HOLDERS.flatMap((name) => holder?.inputs.get(name) ?? []);
    found = others.length === 0 ? only : undefined;
  }
  return found?.kind === 'value' ? found.value : undefined;
}

/** The nodes of a chain, from a first one on, as long as there is a next; a circle ends where it began. */
export function chain(first: GraphNode | undefined, next: (node: GraphNode) => GraphNode | undefined): GraphNode[] {
  const nodes = new Set<GraphNode>();
  for (let node = first; node && !nodes.has(node) && nodes.size < LONGEST_CHAIN; node = next(node)) nodes.add(node);
  return [...nodes];
}

/** Every node that a node depends on, itself included. */
export function dependencies(graph: Graph, first: GraphNode | undefined): ReadonlySet<GraphNode> {
  const found = new Set<GraphNode>(first ? [first] : []);
  for (const node of found) {
    for (const input of node.inputs.values()) {
      const source = input.kind === 'link' ? graph.get(input.node) : undefined;
      if (source) found.add(source);
    }
  }
  return found;
}
