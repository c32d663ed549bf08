import { quoted, type RequestDraft } from '../request-draft';
import { chain, type Graph, type GraphNode, nodeAt, valueAt } from './graph';

/** Inputs of text encoders, the text of the whole prompt before those of single encoders. */
const TEXTS = ['text', 'prompt', 'text_g', 'text_l', 't5xxl', 'clip_l', 'clip_g', 'text_positive'];

/** What is on the way from a sampler to a text. */
export interface Conditioning {
  readonly text: string | undefined;
  readonly guidance: unknown;
  readonly clipSkip: number | undefined;
}

type Side = 'positive' | 'negative';

/** Follows one side of a sampler to its text encoder. What happens on the way and cannot be taken over is said. */
export function readConditioning(
  graph: Graph,
  from: GraphNode | undefined,
  side: Side,
  draft: RequestDraft
): Conditioning {
  const nodes = chain(from, (node) => nextOf(graph, node, side));
  const encoder = nodes.at(-1);
  if (nodes.some(({ type }) => type === 'ConditioningZeroOut'))
    return { text: '', guidance: undefined, clipSkip: undefined };
  for (const node of nodes) {
    if (node !== encoder && node.type !== 'FluxGuidance') {
      draft.leaveOut(`What the node ${quoted(node.type)} does to the ${side} prompt was left out.`);
    }
  }
  const holder = nodes.find((node) => node.inputs.has('guidance'));
  const text = encoder && textOf(graph, encoder, side, draft);
  if (encoder && text === undefined) {
    draft.leaveOut(`The ${side} prompt could not be read: the node ${quoted(encoder.type)} computes it.`);
  }
  return {
    text,
    guidance: holder && valueAt(graph, holder, 'guidance'),
    clipSkip: encoder && clipSkipOf(graph, encoder)
  };
}

/** Control nets and their like take both sides and give both back. */
function nextOf(graph: Graph, node: GraphNode, side: Side): GraphNode | undefined {
  const ways = ['conditioning', side, 'conditioning_1', 'conditioning_to'];
  return ways.map((input) => nodeAt(graph, node, input)).find((next) => next !== undefined);
}

function textOf(graph: Graph, encoder: GraphNode, side: Side, draft: RequestDraft): string | undefined {
  const texts = TEXTS.map((input) => valueAt(graph, encoder, input)).filter((text) => typeof text === 'string');
  const different = new Set(texts.filter((text) => text.trim() !== ''));
  if (different.size > 1) {
    draft.leaveOut(`The ${side} prompt has a text for each encoder; only the first one was taken.`);
  }
  const [first = texts[0]] = different;
  return first;
}

/** ComfyUI counts the layers from the end, with a minus. */
function clipSkipOf(graph: Graph, encoder: GraphNode): number | undefined {
  const loaders = chain(nodeAt(graph, encoder, 'clip'), (node) => nodeAt(graph, node, 'clip'));
  const setter = loaders.find((node) => node.inputs.has('stop_at_clip_layer'));
  const layer = setter && valueAt(graph, setter, 'stop_at_clip_layer');
  return typeof layer === 'number' ? -layer : undefined;
}
