import { randomInt } from 'node:crypto';
import * as z from 'zod';
import { LARGEST_SEED } from '../../../shared/generation';
import { wholeNumber } from '../../../shared/manifest/value-rules';
import type { BatchDefinition, BatchOptions } from './definition';

const seeds = z.array(wholeNumber(0, LARGEST_SEED));

/** The seeds of a batch, fixed when it begins, so that whoever goes on with it makes the same images. */
export const fixedSeeds = z.object({
  /** Those that every combination is made with. */
  combinations: seeds,
  /** One for each item that is listed by itself. */
  items: seeds
});

export type FixedSeeds = z.infer<typeof fixedSeeds>;

/** One image of a batch. */
export interface BatchItem {
  readonly model: string;
  readonly prompt: string;
  readonly options: BatchOptions;
  readonly seed: number;
  /** Where the batch file says it: paths of values. */
  readonly source: ItemSource;
}

/** The paths in a definition that the parts of an item come from. */
export interface ItemSource {
  readonly model: readonly (string | number)[];
  readonly prompt: readonly (string | number)[];
  readonly options: readonly (string | number)[];
}

/** How many images a batch asks for. */
export function itemCount({ models, prompts, options, seeds: wanted, items }: BatchDefinition): number {
  const seedCount = Array.isArray(wanted) ? wanted.length : wanted.count;
  return models.length * prompts.length * options.length * seedCount + items.length;
}

/** Seeds that are drawn lie below this; they are easy to read and to type. */
const SEED_LIMIT = 2 ** 32;

/** Draws the seeds that the definition leaves open. @param draw gives a seed */
export function fixSeeds(
  { seeds: wanted, items }: BatchDefinition,
  draw: () => number = () => randomInt(SEED_LIMIT)
): FixedSeeds {
  return { combinations: combinationSeeds(wanted, draw), items: items.map(({ seed }) => seed ?? draw()) };
}

function combinationSeeds(wanted: BatchDefinition['seeds'], draw: () => number): number[] {
  if (Array.isArray(wanted)) return wanted;
  const { from, count } = wanted;
  return Array.from({ length: count }, (_, index) => (from === undefined ? draw() : from + index));
}

/**
 * The items of a batch in their order: by model first, so that each is loaded as rarely as can be, then by prompt,
 * options and seed; then those that are listed by themselves. Texts and options are shared among them.
 */
export function itemsOf(definition: BatchDefinition, fixed: FixedSeeds): readonly BatchItem[] {
  const { models, prompts, options, items } = definition;
  const combined = models.flatMap((model, modelAt) =>
    prompts.flatMap((prompt, promptAt) =>
      options.flatMap((set, setAt) => {
        const source: ItemSource = {
          model: ['models', modelAt],
          prompt: ['prompts', promptAt],
          options: ['options', setAt]
        };
        return fixed.combinations.map((seed): BatchItem => ({ model, prompt, options: set, seed, source }));
      })
    )
  );
  const listed = items.map(({ model, prompt, seed: _drawn, ...set }, at): BatchItem => {
    const path = ['items', at];
    const source: ItemSource = { model: [...path, 'model'], prompt: [...path, 'prompt'], options: path };
    return { model, prompt, options: set, seed: fixed.items[at] ?? 0, source };
  });
  return [...combined, ...listed];
}
