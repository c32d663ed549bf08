import * as z from 'zod';
import type { FoundRequest } from '../../../shared/found-request';
import { plainNumber, quoted, RequestDraft } from './request-draft';

/** What comes before the JSON in the text of sd-cli. */
const MARK = 'SDCPP: {';

/** The strength that sd-cli writes when nobody asked for one. */
const USUAL_STRENGTH = 0.75;

const number = z.number().nullish().catch(undefined);
const text = z.string().nullish().catch(undefined);

/** As far as we use it: what sd-cli writes, measured with `sdcpp.image.params/v1` of build 827. */
const parameters = z.object({
  schema: z.string().startsWith('sdcpp.image.params/v1'),
  prompt: z.object({ positive: text, negative: text }).optional().catch(undefined),
  width: number,
  height: number,
  seed: number,
  strength: number,
  clip_skip: number,
  mode: text,
  models: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  loras: z
    .array(z.object({ name: z.string(), multiplier: z.number(), is_high_noise: z.boolean().optional() }))
    .max(100)
    .optional()
    .catch(undefined),
  hires: z.object({ enabled: z.boolean() }).optional().catch(undefined),
  sampling: z
    .object({
      method: text,
      scheduler: text,
      steps: number,
      flow_shift: number,
      eta: number,
      shifted_timestep: number,
      custom_sigmas: z.array(z.unknown()).optional().catch(undefined),
      guidance: z
        .object({
          txt_cfg: number,
          img_cfg: number,
          distilled_guidance: number,
          slg: z.object({ scale: number }).optional().catch(undefined)
        })
        .optional()
        .catch(undefined)
    })
    .optional()
    .catch(undefined)
});

type Parameters = z.infer<typeof parameters>;

/** Reads the JSON that sd-cli ends its text with. @returns undefined when there is none that we know */
export function readSdcpp(described: string): FoundRequest | undefined {
  const start = described.lastIndexOf(MARK);
  const parsed = start === -1 ? undefined : parameters.safeParse(jsonAt(described, start + MARK.length - 1));
  if (!parsed?.success) return undefined;
  const draft = new RequestDraft();
  const { data } = parsed;
  // An enlarged image carries the defaults of a generation that never was.
  if (data.models === null || data.models === undefined) {
    draft.leaveOut('The image was not generated but enlarged, so it carries no settings.');
    return draft.finish('stable-diffusion.cpp');
  }
  for (const model of Object.values(data.models)) draft.made(model);
  takeSettings(data, draft);
  sayWhatIsLeft(data, draft);
  return draft.finish('stable-diffusion.cpp');
}

function takeSettings({ prompt, sampling, loras = [], ...data }: Parameters, draft: RequestDraft): void {
  draft.take('prompt', prompt?.positive);
  for (const { name, multiplier, is_high_noise } of loras) draft.addLora(name, multiplier, is_high_noise === true);
  if (prompt?.negative !== '') draft.take('negative_prompt', prompt?.negative);
  draft.take('seed', data.seed);
  draft.take('width', data.width);
  draft.take('height', data.height);
  if (data.clip_skip !== -1) draft.take('clip_skip', data.clip_skip);
  draft.take('steps', sampling?.steps);
  draft.take('sampling_method', sampling?.method);
  draft.take('scheduler', sampling?.scheduler);
  draft.take('cfg_scale', plain(sampling?.guidance?.txt_cfg));
  draft.take('guidance', plain(sampling?.guidance?.distilled_guidance));
  draft.take('flow_shift', plain(sampling?.flow_shift));
}

function sayWhatIsLeft({ strength, hires, mode, sampling }: Parameters, draft: RequestDraft): void {
  const { eta, custom_sigmas = [], shifted_timestep, guidance } = sampling ?? {};
  const left: readonly (readonly [boolean, string])[] = [
    [
      isNumberBut(plain(strength), USUAL_STRENGTH),
      `Its strength, ${plain(strength)}, needs an input image, which it does not carry.`
    ],
    [hires?.enabled === true, 'The second pass at a larger size was left out.'],
    [mode !== 'img_gen', `It was made in the mode ${quoted(mode)}.`],
    [typeof eta === 'number', `Eta ${eta} was left out.`],
    [custom_sigmas.length > 0, 'Its own list of noise levels was left out.'],
    [isNumberBut(shifted_timestep, 0), `The shifted timestep ${shifted_timestep} was left out.`],
    [typeof guidance?.img_cfg === 'number', `The guidance by the input image, ${guidance?.img_cfg}, was left out.`],
    [isNumberBut(guidance?.slg?.scale, 0), 'Guidance by skipped layers was left out.']
  ];
  for (const [isLeft, sentence] of left) if (isLeft) draft.leaveOut(sentence);
}

function isNumberBut(value: number | null | undefined, usual: number): boolean {
  return typeof value === 'number' && value !== usual;
}

function plain(value: number | null | undefined): number | undefined {
  return typeof value === 'number' ? plainNumber(value) : undefined;
}

function jsonAt(described: string, start: number): unknown {
  try {
    return JSON.parse(described.slice(start));
  } catch {
    return undefined;
  }
}
