import type { FoundRequest } from '../../../../shared/found-request';
import { quoted, RequestDraft } from '../request-draft';
import { samplerNamed, schedulerNamed } from '../sampler-names';
import { type Conditioning, readConditioning } from './conditioning';
import { dependencies, type Graph, type GraphNode, nodeAt } from './graph';
import { takeModel, takeSize } from './model-and-size';
import { readPromptGraph, readWorkflowGraph } from './read-graph';
import { SamplerView } from './sampler-view';

/** Samplers that are compared with each other. */
const MOST_SAMPLERS = 50;

/**
 * Reads the graph of ComfyUI as far as it is unambiguous: the one sampler that begins, and what its inputs lead to.
 * @param texts the texts of an image
 * @returns undefined when there is no sampler in them
 */
export function readComfyui(texts: { readonly prompt?: string; readonly workflow?: string }): FoundRequest | undefined {
  const ran = readPromptGraph(parseJson(texts.prompt));
  const graph = samplersOf(ran).length > 0 ? ran : readWorkflowGraph(parseJson(texts.workflow));
  const samplers = samplersOf(graph).slice(0, MOST_SAMPLERS);
  const firsts = samplers.filter((sampler) => isFirst(graph, sampler, samplers));
  const [first, ...others] = firsts;
  if (!first) return undefined;
  const draft = new RequestDraft();
  if (others.length > 0) {
    draft.leaveOut(`The workflow has ${firsts.length} samplers side by side; which made the image cannot be told.`);
    return draft.finish('ComfyUI');
  }
  if (samplers.length > 1) {
    draft.leaveOut(`The workflow samples ${samplers.length} times; the settings are those of the first time.`);
  }
  takeSampler(new SamplerView(graph, first), draft);
  draft.leaveOut('ComfyUI draws its noise in another way, so the seed gives another image here.');
  return draft.finish('ComfyUI');
}

function takeSampler(view: SamplerView, draft: RequestDraft): void {
  const positive = readConditioning(view.graph, view.node('positive', 'conditioning'), 'positive', draft);
  const negative = readConditioning(view.graph, view.node('negative'), 'negative', draft);
  takePrompts(positive, negative, draft);
  takeModel(view, draft);
  draft.take('seed', view.value('seed', 'noise_seed'));
  draft.take('steps', view.value('steps'));
  draft.take('cfg_scale', view.value('cfg'));
  takeNames(view, draft);
  takeSize(view, draft);
}

function takePrompts(positive: Conditioning, negative: Conditioning, draft: RequestDraft): void {
  draft.take('prompt', positive.text);
  if (negative.text !== '') draft.take('negative_prompt', negative.text);
  draft.take('guidance', positive.guidance);
  draft.take('clip_skip', positive.clipSkip);
}

function takeNames(view: SamplerView, draft: RequestDraft): void {
  const [sampler, scheduler] = [view.value('sampler_name'), view.value('scheduler')];
  if (typeof sampler === 'string') {
    const method = samplerNamed(sampler, 'ComfyUI');
    if (method === undefined) draft.leaveOut(`sd-cli has no sampler ${quoted(sampler)}.`);
    draft.take('sampling_method', method);
  }
  if (typeof scheduler === 'string') {
    const schedule = schedulerNamed(scheduler);
    if (schedule === undefined) draft.leaveOut(`sd-cli has no noise schedule ${quoted(scheduler)}.`);
    draft.take('scheduler', schedule);
  }
}

function samplersOf(graph: Graph): GraphNode[] {
  return [...graph.values()].filter(
    ({ inputs }) => inputs.has('latent_image') && (inputs.has('sampler_name') || inputs.has('sampler'))
  );
}

/** Whether no other sampler made what a sampler begins with. */
function isFirst(graph: Graph, sampler: GraphNode, all: readonly GraphNode[]): boolean {
  const before = dependencies(graph, nodeAt(graph, sampler, 'latent_image'));
  return !all.some((other) => before.has(other));
}

/** Undefined for what is no JSON; Python writes NaN, which is none. */
function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  for (const json of [text, text.replaceAll(/([:[,]\s{0,4})NaN(?=\s{0,4}[,\]}])/g, '$1null')]) {
    try {
      return JSON.parse(json);
    } catch {
      continue;
    }
  }
  return undefined;
}
