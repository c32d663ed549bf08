import { type Component, type RecognisedComponent, recogniseComponent } from './components';
import { engineBytes } from './engine-memory';
import type { Family, Variant } from './families';
import { MOST_PARTS } from './headers/limits';
import type { WeightsHeader } from './headers/read-weights';
import type { Tensor } from './headers/tensor';
import { TensorIndex } from './tensor-index';

/** One part of a file, as an engine loads it. */
export interface WeightsPart extends RecognisedComponent {
  /** Values, not counting what a format stores beside them. */
  readonly parameters: number;
  /** Of the tensors as they are stored. */
  readonly bytes: number;
  /** Memory that the engine takes for the tensors alone; a run needs more, by the size of its images. */
  readonly memoryBytes: number;
  /** Whether its names begin as in a whole checkpoint: such a file the engine takes as one. */
  readonly isPrefixed: boolean;
}

/** A type of values, and how much is stored in it. */
export interface StoredType {
  readonly dtype: string;
  readonly tensors: number;
  readonly bytes: number;
}

/** What the tensors of a file tell. What is not certain is left out. */
export interface WeightsDescription {
  readonly format: WeightsHeader['format'];
  /** `model`: a diffusion model together with what it needs to read prompts or to make pixels. */
  readonly component?: Component | 'model';
  readonly family?: Family;
  readonly variant?: Variant;
  readonly parameters: number;
  /** Of all tensors as they are stored. */
  readonly bytes: number;
  /** Memory that the engine takes for all tensors. */
  readonly memoryBytes: number;
  /** Most bytes first. */
  readonly types: readonly StoredType[];
  readonly parts: readonly WeightsPart[];
  /** What the publisher wrote that it is: a hint, which may be wrong. */
  readonly hint?: string;
}

/** Where the parts of whole checkpoints lie; the names behind are those that the parts have as files of their own. */
const PART_PREFIX =
  /^(model\.diffusion_model|first_stage_model|vae|control_model|(cond_stage_model|conditioner\.embedders\.\d|text_encoders\.\w+)(\.transformer|\.model)?)\./;

/** Names of parts without a prefix of their own that are not what the rest of their file is. */
const VISION = /^(model\.)?(visual|vision_model)\.|^v\./;

/** Metadata in which publishers say what a file is. */
const HINTS = ['modelspec.architecture', 'general.architecture', 'ss_base_model_version'];

/** Tells what a file is by its tensors. */
export function describeWeights(header: WeightsHeader): WeightsDescription {
  if (!('tensors' in header)) {
    return { format: header.format, parameters: 0, bytes: 0, memoryBytes: 0, types: [], parts: [] };
  }
  const { format, tensors, metadata } = header;
  const parts = partsOf(tensors);
  const hint = HINTS.map((name) => metadata.get(name)).find((text) => text !== undefined && text !== '');
  return {
    format,
    ...identity(parts),
    ...figures(tensors),
    types: typesOf(tensors),
    parts,
    ...(hint !== undefined && { hint })
  };
}

/** What the whole is: its only part, or a checkpoint of several around a diffusion model. */
function identity(parts: readonly WeightsPart[]): Pick<WeightsDescription, 'component' | 'family' | 'variant'> {
  const [first, ...others] = parts;
  const main = parts.find(({ component }) => component === 'diffusion_model') ?? first;
  if (!main) return {};
  const { component, family, variant } = main;
  const isCheckpoint = component === 'diffusion_model' && others.length > 0;
  return {
    component: isCheckpoint ? 'model' : component,
    ...(family && { family }),
    ...(variant && { variant })
  };
}

function partsOf(tensors: readonly Tensor[]): WeightsPart[] {
  const groups = new Map<string, [string, Tensor][]>();
  for (const tensor of tensors) {
    const { name } = tensor;
    const prefix = PART_PREFIX.exec(name)?.[0];
    const key = prefix ?? (VISION.test(name) ? 'vision' : '');
    const group = groups.get(key) ?? [];
    if (group.length === 0 && groups.size === MOST_PARTS) continue;
    groups.set(key, group);
    group.push([prefix === undefined ? name : name.slice(prefix.length), tensor]);
  }
  return [...groups].flatMap(([prefix, group]) => {
    const index = new TensorIndex(group);
    const recognised = recogniseComponent(index);
    return recognised ? [{ ...recognised, ...figures([...index.tensors]), isPrefixed: prefix.endsWith('.') }] : [];
  });
}

function figures(tensors: readonly Tensor[]): Pick<WeightsPart, 'parameters' | 'bytes' | 'memoryBytes'> {
  return {
    parameters: sum(tensors, ({ elements }) => elements),
    bytes: sum(tensors, ({ bytes }) => bytes),
    memoryBytes: sum(tensors, engineBytes)
  };
}

function typesOf(tensors: readonly Tensor[]): StoredType[] {
  const types = new Map<string, StoredType>();
  for (const { dtype, bytes } of tensors) {
    const so = types.get(dtype) ?? { dtype, tensors: 0, bytes: 0 };
    types.set(dtype, { dtype, tensors: so.tensors + 1, bytes: so.bytes + bytes });
  }
  return [...types.values()].toSorted((one, other) => other.bytes - one.bytes);
}

function sum(tensors: readonly Tensor[], figure: (tensor: Tensor) => number): number {
  return tensors.reduce((total, tensor) => total + figure(tensor), 0);
}
