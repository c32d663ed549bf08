import { type Graph, type GraphNode, nodeAt, valueAt } from './graph';

/** Nodes that hold the settings of a sampler which is put together from parts. */
const PARTS = ['noise', 'guider', 'sampler', 'sigmas'];

/** A sampler together with the nodes that hold its settings. */
export class SamplerView {
  readonly graph: Graph;
  readonly #nodes: readonly GraphNode[];

  constructor(graph: Graph, sampler: GraphNode) {
    this.graph = graph;
    this.#nodes = [sampler, ...PARTS.flatMap((part) => nodeAt(graph, sampler, part) ?? [])];
  }

  /** The value of the first of these inputs that any of the nodes has. */
  value(...inputs: readonly string[]): unknown {
    const holder = this.#nodes.find((node) => inputs.some((input) => node.inputs.has(input)));
    const input = inputs.find((name) => holder?.inputs.has(name));
    return holder && input !== undefined ? valueAt(this.graph, holder, input) : undefined;
  }

  /** The node that the first of these inputs comes from. */
  node(...inputs: readonly string[]): GraphNode | undefined {
    const found = this.#nodes.flatMap((node) => inputs.flatMap((input) => nodeAt(this.graph, node, input) ?? []));
    return found[0];
  }
}
