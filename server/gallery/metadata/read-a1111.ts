import type { FoundRequest } from '../../../shared/found-request';
import { readInfotext } from './infotext';
import { quoted, RequestDraft } from './request-draft';
import { samplerNamed, schedulerNamed } from './sampler-names';

/** Settings that say nothing about how to make the image again. */
const SILENT = new Set(
  [
    ['Model hash', 'VAE hash', 'Lora hashes', 'TI hashes', 'Hashes', 'Version', 'Token merging ratio', 'Created Date'],
    [
      'Size',
      'Steps',
      'Seed',
      'CFG scale',
      'Distilled CFG Scale',
      'Clip skip',
      'Sampler',
      'Schedule type',
      'Model',
      'VAE'
    ],
    ['Unet', 'Guidance', 'RNG', 'Eta']
  ].flat()
);

/** What A1111 does with a prompt and sd-cli does not. */
const PROMPT_SYNTAX: readonly (readonly [RegExp, string])[] = [
  [/\bBREAK\b/, 'BREAK in the prompt is a word like any other for sd-cli.'],
  [/\bAND\b/, 'AND in the prompt is a word like any other for sd-cli.'],
  [
    /\[[^[\]:]{0,200}:[^[\]:]{0,200}:\s?[\d.]{1,8}\]/,
    'A part of the prompt changes while A1111 samples; sd-cli takes it literally.'
  ],
  [/<(?:hypernet|lyco):/, 'The prompt asks for a network of a kind that sd-cli does not have.']
];

/**
 * Reads the text of A1111 and of programs that write like it.
 * @returns undefined when the text has no settings
 */
export function readA1111(described: string): FoundRequest | undefined {
  const { prompt, negativePrompt, settings } = readInfotext(described);
  if (settings.size === 0) return undefined;
  const draft = new RequestDraft();
  draft.take('prompt', prompt);
  if (negativePrompt !== '') draft.take('negative_prompt', negativePrompt);
  draft.takeNumber('steps', settings.get('Steps'));
  draft.takeNumber('seed', settings.get('Seed'));
  draft.takeNumber('cfg_scale', settings.get('CFG scale'));
  draft.takeNumber('guidance', settings.get('Distilled CFG Scale') ?? settings.get('Guidance'));
  draft.takeNumber('clip_skip', settings.get('Clip skip'));
  const [, width, height] = /^(\d+)x(\d+)$/.exec(settings.get('Size') ?? '') ?? [];
  draft.takeNumber('width', width);
  draft.takeNumber('height', height);
  takeSampler(settings, draft);
  for (const model of ['Model', 'Unet', 'VAE']) draft.made(settings.get(model));
  for (const [pattern, sentence] of PROMPT_SYNTAX) if (pattern.test(prompt)) draft.leaveOut(sentence);
  for (const [name, value] of settings) {
    if (!SILENT.has(name)) draft.leaveOut(`${name} ${quoted(value)} was left out.`);
  }
  return draft.finish('A1111');
}

/** Older versions name the schedule behind the sampler: "DPM++ 2M Karras". */
function takeSampler(settings: ReadonlyMap<string, string>, draft: RequestDraft): void {
  const name = settings.get('Sampler');
  if (name === undefined) return;
  const [, before = name, behind] = /^(.{1,60}?)[ _]([a-z_]{1,30})$/i.exec(name) ?? [];
  const isWhole =
    samplerNamed(name, 'A1111') !== undefined || behind === undefined || schedulerNamed(behind) === undefined;
  const sampler = isWhole ? name : before;
  const method = samplerNamed(sampler, 'A1111');
  if (method === undefined) draft.leaveOut(`sd-cli has no sampler ${quoted(sampler)}.`);
  draft.take('sampling_method', method);
  const schedule = settings.get('Schedule type') ?? (isWhole ? undefined : behind);
  if (schedule === undefined || schedule.toLowerCase() === 'automatic') return;
  const scheduler = schedulerNamed(schedule);
  if (scheduler === undefined) draft.leaveOut(`sd-cli has no noise schedule ${quoted(schedule)}.`);
  draft.take('scheduler', scheduler);
}
