import * as z from 'zod';
import { generationRequest, LARGEST_SEED } from '../../../shared/generation';
import { filledText, wholeNumber } from '../../../shared/manifest/value-rules';

/** The most items of one batch. */
export const MOST_ITEMS = 10_000;

/** The path of an image, absolute or relative to the folder of the batch file; a request has absolute ones alone. */
const imagePath = z
  .string('must be the path of an image')
  .min(1, 'must be the path of an image')
  .refine((path) => !path.includes('\0'), 'must not contain a NUL character');

const { prompt, seed: _seed, images: _images, hires, ...settings } = generationRequest.shape;

const optionFields = {
  ...settings,
  init_image: imagePath.optional(),
  mask: imagePath.optional(),
  control_image: imagePath.optional(),
  references: z.array(imagePath, 'must be a list of paths').min(1, 'must name an image').optional(),
  hires: hires.unwrap().strict().optional()
};

/** What a request may say besides its prompt and seed. An item makes one image, so there is no number of them. */
const batchOptions = z.strictObject(optionFields, 'must be an object with options');

export type BatchOptions = z.infer<typeof batchOptions>;

const model = filledText();
const seed = wholeNumber(0, LARGEST_SEED);

/** One image that is asked for by itself. Without a seed, one is drawn for it. */
const explicitItem = z.strictObject({ model, prompt, seed: seed.optional(), ...optionFields }, 'must be an object');

/** These seeds, so many from one on, or so many that are drawn. */
const wantedSeeds = z.union([
  list(seed).min(1, 'must hold a seed'),
  z.strictObject(
    { from: seed.optional(), count: wholeNumber(1, MOST_ITEMS) },
    'must be a list of seeds, or an object with "count" and perhaps "from"'
  )
]);

/**
 * What a batch asks for: every combination of its models, prompts, sets of options and seeds, and the items that it
 * lists by themselves. Field names on disk are in snake case.
 */
export const batchDefinition = z.strictObject(
  {
    models: list(model).default([]),
    prompts: list(prompt).default([]),
    /** Without them, one is drawn for all combinations. */
    seeds: wantedSeeds.default({ count: 1 }),
    /** Sets of options; a single one needs no list around it. */
    options: z.union([list(batchOptions), batchOptions.transform((only) => [only])]).default([{}]),
    items: list(explicitItem).default([])
  },
  'must be an object'
);

export type BatchDefinition = z.infer<typeof batchDefinition>;

function list<T extends z.ZodType>(of: T): z.ZodArray<T> {
  return z.array(of, 'must be a list').max(MOST_ITEMS, `must hold at most ${MOST_ITEMS} entries`);
}
