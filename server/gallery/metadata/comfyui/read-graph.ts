import * as z from 'zod';
import { type Graph, type GraphNode, type Input, MOST_NODES } from './graph';

const apiNode = z.object({ class_type: z.string(), inputs: z.record(z.string(), z.unknown()) });

const link = z.tuple([z.union([z.string(), z.int()]), z.int()]);

/**
 * Reads the graph that ComfyUI ran: the text "prompt" of an image, which is also its API format. What is no node is
 * passed over.
 */
export function readPromptGraph(json: unknown): Graph {
  const graph = new Map<string, GraphNode>();
  for (const [id, raw] of entriesOf(json)) {
    const node = apiNode.safeParse(raw);
    if (!node.success) continue;
    const inputs = Object.entries(node.data.inputs).map(([name, value]): [string, Input] => [name, inputOf(value)]);
    graph.set(id, { id, type: node.data.class_type, inputs: new Map(inputs) });
  }
  return graph;
}

/** Values that are lists themselves are wrapped by ComfyUI, so two elements of these kinds are a link. */
function inputOf(value: unknown): Input {
  const parsed = link.safeParse(value);
  return parsed.success
    ? { kind: 'link', node: String(parsed.data[0]), output: parsed.data[1] }
    : { kind: 'value', value };
}

function entriesOf(json: unknown): [string, unknown][] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return [];
  return Object.entries(json).slice(0, MOST_NODES);
}

const workflowNode = z.object({
  id: z.union([z.string(), z.int()]),
  type: z.string(),
  inputs: z
    .array(z.object({ name: z.string(), link: z.union([z.int(), z.null()]).optional().catch(undefined) }))
    .max(1000)
    .optional()
    .catch(undefined),
  widgets_values: z.array(z.unknown()).optional().catch(undefined)
});

const workflow = z.object({ nodes: z.array(z.unknown()), links: z.array(z.unknown()) });

/** Id, node and output that it comes from. */
const workflowLink = z.tuple([z.int(), z.union([z.string(), z.int()]), z.int()]).rest(z.unknown());

/**
 * The widgets of a node in their order, for the classes that we read; a workflow stores their values without names.
 * From `INPUT_TYPES` in nodes.py and comfy_extras of ComfyUI; behind a seed the editor has a widget of its own.
 */
const WIDGETS: Readonly<Record<string, readonly string[]>> = {
  KSampler: ['seed', '', 'steps', 'cfg', 'sampler_name', 'scheduler', 'denoise'],
  KSamplerAdvanced: [
    ['add_noise', 'noise_seed', '', 'steps', 'cfg', 'sampler_name', 'scheduler', 'start_at_step', 'end_at_step'],
    ['return_with_leftover_noise']
  ].flat(),
  KSamplerSelect: ['sampler_name'],
  RandomNoise: ['noise_seed', ''],
  BasicScheduler: ['scheduler', 'steps', 'denoise'],
  CFGGuider: ['cfg'],
  FluxGuidance: ['guidance'],
  CLIPTextEncode: ['text'],
  CLIPTextEncodeFlux: ['clip_l', 't5xxl', 'guidance'],
  CLIPSetLastLayer: ['stop_at_clip_layer'],
  EmptyLatentImage: ['width', 'height', 'batch_size'],
  EmptySD3LatentImage: ['width', 'height', 'batch_size'],
  EmptyFlux2LatentImage: ['width', 'height', 'batch_size'],
  CheckpointLoaderSimple: ['ckpt_name'],
  UNETLoader: ['unet_name', 'weight_dtype'],
  LoraLoader: ['lora_name', 'strength_model', 'strength_clip'],
  LoraLoaderModelOnly: ['lora_name', 'strength_model'],
  ModelSamplingSD3: ['shift'],
  ModelSamplingAuraFlow: ['shift']
};

/** Reads the graph as ComfyUI's editor stores it: the text "workflow", for images that have no other. */
export function readWorkflowGraph(json: unknown): Graph {
  const parsed = workflow.safeParse(json);
  const graph = new Map<string, GraphNode>();
  if (!parsed.success) return graph;
  const links = new Map<number, Input>();
  for (const raw of parsed.data.links.slice(0, MOST_NODES * 10)) {
    const one = workflowLink.safeParse(raw);
    if (one.success) links.set(one.data[0], { kind: 'link', node: String(one.data[1]), output: one.data[2] });
  }
  for (const raw of parsed.data.nodes.slice(0, MOST_NODES)) {
    const node = workflowNode.safeParse(raw);
    if (node.success) graph.set(String(node.data.id), nodeOf(node.data, links));
  }
  return graph;
}

function nodeOf(
  { id, type, inputs = [], widgets_values = [] }: z.infer<typeof workflowNode>,
  links: ReadonlyMap<number, Input>
): GraphNode {
  const names = (Object.hasOwn(WIDGETS, type) ? WIDGETS[type] : undefined) ?? [];
  const values = names.flatMap((name, index): [string, Input][] =>
    name === '' || index >= widgets_values.length ? [] : [[name, { kind: 'value', value: widgets_values[index] }]]
  );
  const linked = inputs.flatMap(({ name, link: number }): [string, Input][] => {
    const found = typeof number === 'number' ? links.get(number) : undefined;
    return found ? [[name, found]] : [];
  });
  // A widget that was turned into an input keeps its last value, and the link counts.
  return { id: String(id), type, inputs: new Map([...values, ...linked]) };
}
