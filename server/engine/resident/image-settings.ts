import * as z from 'zod';
import { type GenerationBody, isObject } from './server-request';

/** The settings that sd-server writes into an image (schema sdcpp.image.params/v1), as far as we compare them. */
const imageSettings = z.looseObject({
  width: z.number(),
  height: z.number(),
  seed: z.number(),
  generator: z.object({ name: z.string(), version: z.string(), commit: z.string() }),
  models: z.record(z.string(), z.string()),
  prompt: z.object({ positive: z.string(), negative: z.string() }),
  sampling: z.looseObject({
    steps: z.number(),
    method: z.string().optional(),
    scheduler: z.string().optional(),
    guidance: z.looseObject({ txt_cfg: z.number(), distilled_guidance: z.number() })
  })
});

export type ImageSettings = z.infer<typeof imageSettings>;

/** Where these settings begin in the text that an image carries. */
const MARK = 'SDCPP: ';

/**
 * Reads the settings that an image of sd-server carries.
 * @param parameters the text "parameters" of the PNG
 */
export function readImageSettings(parameters: string | undefined): ImageSettings | undefined {
  const at = parameters?.lastIndexOf(MARK) ?? -1;
  if (parameters === undefined || at < 0) return undefined;
  try {
    return imageSettings.safeParse(JSON.parse(parameters.slice(at + MARK.length))).data;
  } catch {
    return undefined;
  }
}

/** What is compared: the name of a setting, what was asked for, and what the image was made with. */
type Comparison = readonly [name: string, asked: unknown, made: unknown];

/**
 * The first setting of an image that is not what was asked for: sd-server ignores most values that it cannot read.
 * @param index of the image in the batch, 0-based; each has the next seed
 * @returns the end of a sentence, or undefined
 */
export function differingSetting(body: GenerationBody, made: ImageSettings, index: number): string | undefined {
  const sampling = objectAt(body, 'sample_params');
  const guidance = objectAt(sampling, 'guidance');
  const seed = body['seed'];
  const comparisons: readonly Comparison[] = [
    ['width', body['width'], made.width],
    ['height', body['height'], made.height],
    ['seed', typeof seed === 'number' ? seed + index : undefined, made.seed],
    ['prompt', body['prompt'], made.prompt.positive],
    ['negative prompt', body['negative_prompt'], made.prompt.negative],
    ['number of steps', sampling['sample_steps'], made.sampling.steps],
    ['guidance scale', guidance['txt_cfg'], made.sampling.guidance.txt_cfg],
    ['distilled guidance', guidance['distilled_guidance'], made.sampling.guidance.distilled_guidance],
    // Left out of the image where the server chose itself; "normal" is another name of "discrete".
    ['sampling method', sampling['sample_method'], made.sampling.method],
    ['scheduler', sampling['scheduler'] === 'normal' ? 'discrete' : sampling['scheduler'], made.sampling.scheduler]
  ];
  const differing = comparisons.find(([, asked, got]) => asked !== undefined && !isSame(asked, got));
  if (!differing) return undefined;
  const [name, asked, got] = differing;
  return `the ${name} is ${quoted(got)} and not ${quoted(asked)}`;
}

/** The server keeps fractions in single precision. */
function isSame(asked: unknown, made: unknown): boolean {
  if (typeof asked !== 'number' || typeof made !== 'number' || Number.isInteger(asked)) return asked === made;
  return Math.fround(asked) === Math.fround(made);
}

function objectAt(object: GenerationBody, name: string): GenerationBody {
  const value = object[name];
  return isObject(value) ? value : {};
}

function quoted(value: unknown): string {
  return typeof value === 'string' ? `"${value.slice(0, 60)}"` : String(value);
}
