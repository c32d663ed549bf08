import { quoted, type RequestDraft } from '../request-draft';
import { chain, type Graph, type GraphNode, nodeAt, valueAt } from './graph';
import type { SamplerView } from './sampler-view';

/** Inputs with the name of the weights, in the nodes that load them. */
const MODEL_NAMES = ['ckpt_name', 'unet_name', 'model_name', 'gguf_name'];

/** Inputs that lead from a latent image to what it was made of. */
const LATENT_SOURCES = ['samples', 'latent', 'pixels', 'image'];

/** From a sampler back to its weights: LoRAs and shifts lie on the way. */
export function takeModel(view: SamplerView, draft: RequestDraft): void {
  const nodes = chain(view.node('model'), (node) => nodeAt(view.graph, node, 'model'));
  for (const node of nodes.toReversed()) {
    const weights = MODEL_NAMES.find((input) => node.inputs.has(input));
    if (weights !== undefined) draft.made(valueAt(view.graph, node, weights));
    else if (node.inputs.has('lora_name')) takeLora(view.graph, node, draft);
    else if (node.type.startsWith('ModelSampling') && node.inputs.has('shift')) {
      draft.take('flow_shift', valueAt(view.graph, node, 'shift'));
    } else draft.leaveOut(`What the node ${quoted(node.type)} does to the model was left out.`);
  }
}

function takeLora(graph: Graph, node: GraphNode, draft: RequestDraft): void {
  const [name, weight, clip] = ['lora_name', 'strength_model', 'strength_clip'].map((input) =>
    valueAt(graph, node, input)
  );
  if (typeof name !== 'string' || typeof weight !== 'number') {
    draft.leaveOut(`The LoRA of the node ${quoted(node.type)} could not be read.`);
    return;
  }
  draft.addLora(name, weight);
  if (typeof clip === 'number' && clip !== weight) {
    draft.leaveOut(`The LoRA ${quoted(name)} had the strength ${clip} for the text encoder; sd-cli has one for all.`);
  }
}

/** The size is that of the empty latent image that a sampler begins with. */
export function takeSize(view: SamplerView, draft: RequestDraft): void {
  const { graph } = view;
  const nodes = chain(view.node('latent_image'), (node) =>
    LATENT_SOURCES.map((input) => nodeAt(graph, node, input)).find((source) => source !== undefined)
  );
  const source = nodes.at(-1);
  const denoise = view.value('denoise');
  if (source?.type.startsWith('Empty') === true) {
    draft.take('width', valueAt(graph, source, 'width'));
    draft.take('height', valueAt(graph, source, 'height'));
    const batch = valueAt(graph, source, 'batch_size');
    if (typeof batch === 'number' && batch > 1) draft.leaveOut(`It is one of a batch of ${batch} images.`);
  } else if (source) {
    draft.leaveOut('It was made from an input image, which it does not carry.');
  }
  if (typeof denoise === 'number' && denoise < 1) {
    draft.leaveOut(`Its strength, ${denoise}, needs an input image, which it does not carry.`);
  }
}
