import { type QuickPickItem, window } from 'vscode';
import type { GenerationChoices, GenerationRequest } from '../../shared/generation';
import { askSetting, ENGINE_DEFAULT, isBetween, isWhole, type NumberQuestion } from './ask-value';
import { askHires, type HiresChange, hiresEntries } from './hires-settings';

/** Settings that are asked for only in the step that lists them, and that stay for the session. */
export const SAMPLING_SETTINGS = [
  'steps',
  'sampling_method',
  'scheduler',
  'cfg_scale',
  'guidance',
  'negative_prompt',
  'hires'
] as const;

type SamplingSetting = (typeof SAMPLING_SETTINGS)[number];

/** What of a request such settings are. */
export type SamplingSettings = Pick<GenerationRequest, SamplingSetting>;

type Change = SamplingSetting | HiresChange | 'reset';
type Choice = QuickPickItem & { readonly change?: Change };

/** The sampling settings of a request. */
export function samplingOf(request: Partial<GenerationRequest>): SamplingSettings {
  return Object.fromEntries(
    SAMPLING_SETTINGS.flatMap((name) => (request[name] === undefined ? [] : [[name, request[name]]]))
  );
}

/** Those that are set, in a few words. */
export function samplingText(request: GenerationRequest): string {
  const {
    steps,
    sampling_method: method,
    scheduler,
    cfg_scale: scale,
    guidance,
    negative_prompt: not,
    hires
  } = request;
  const texts = [
    steps !== undefined && `${steps} steps`,
    method,
    scheduler,
    scale !== undefined && `CFG ${scale}`,
    guidance !== undefined && `guidance ${guidance}`,
    not !== undefined && `not “${not}”`,
    hires && `hires ×${hires.scale}`
  ];
  return texts.filter(Boolean).join(', ');
}

/**
 * Shows the sampling settings with what counts for each; entries lead to a question and back. Leaving goes back, too.
 * @returns the request with what was changed
 */
export async function askSampling(
  title: string,
  first: GenerationRequest,
  choices: GenerationChoices
): Promise<GenerationRequest> {
  let request = first;
  for (;;) {
    const placeHolder = 'They stay for this model until the window is closed.';
    const chosen = await window.showQuickPick(entries(request, choices), { title, placeHolder, ignoreFocusOut: true });
    if (chosen?.change === undefined) return request;
    request = await changed(title, request, chosen.change, choices);
  }
}

function entries(request: GenerationRequest, { settings, defaults }: GenerationChoices): Choice[] {
  const { hires } = request;
  // What a request came with is shown even where it changes nothing.
  const isOffered = (name: SamplingSetting): boolean => settings.includes(name) || request[name] !== undefined;
  const entry = (name: SamplingSetting, label: string, description: string): Choice[] =>
    isOffered(name) ? [{ label, description, change: name }] : [];
  const plain = (name: Exclude<SamplingSetting, 'hires'>, label: string, missing = ENGINE_DEFAULT): Choice[] =>
    entry(name, label, valueText(request[name], defaults[name], missing));
  const isAnySet = SAMPLING_SETTINGS.some((name) => request[name] !== undefined);
  return [
    { label: '$(arrow-left) Back' },
    ...plain('steps', '$(list-ordered) Steps'),
    ...plain('sampling_method', '$(pulse) Sampling Method'),
    ...plain('scheduler', '$(graph-line) Scheduler'),
    ...plain('cfg_scale', '$(settings) CFG Scale'),
    ...plain('guidance', '$(settings) Guidance'),
    ...plain('negative_prompt', '$(exclude) Negative Prompt', 'none'),
    ...entry('hires', '$(zoom-in) Hires Fix', hires ? `${hires.scale} × as wide and high` : 'off'),
    ...(hires ? hiresEntries(hires) : []),
    ...(isAnySet ? [{ label: '$(discard) Reset to Defaults', change: 'reset' } as const] : [])
  ];
}

type Value = string | number | undefined;

function valueText(given: Value, usual: Value, missing: string): string {
  if (given !== undefined) return String(given);
  return usual === undefined || usual === '' ? missing : `${usual}, the model's default`;
}

async function changed(
  title: string,
  request: GenerationRequest,
  change: Change,
  choices: GenerationChoices
): Promise<GenerationRequest> {
  switch (change) {
    case 'steps':
    case 'cfg_scale':
    case 'guidance':
      return askSetting(request, change, { title, ...QUESTIONS[change] });
    case 'sampling_method':
      return askName(title, request, change, choices.samplingMethods);
    case 'scheduler':
      return askName(title, request, change, choices.schedulers);
    case 'negative_prompt':
      return askNegativePrompt(title, request);
    case 'hires':
    case 'hires-strength':
    case 'hires-steps':
      return askHires(title, request, change);
    case 'reset':
      return withoutSampling(request);
  }
}

const LEAVE = "Leave it empty for the model's default.";

const QUESTIONS: Readonly<Record<'steps' | 'cfg_scale' | 'guidance', Omit<NumberQuestion, 'title'>>> = {
  steps: { prompt: `Sampling steps, from 1 to 1000. ${LEAVE}`, isValid: (steps) => isWhole(steps, 1, 1000) },
  cfg_scale: {
    prompt: `From 0 to 100: how closely the image follows the prompt. ${LEAVE}`,
    isValid: (scale) => isBetween(scale, 0, 100)
  },
  guidance: {
    prompt: `From 0 to 100: the guidance that is distilled into the weights (Flux). ${LEAVE}`,
    isValid: (guidance) => isBetween(guidance, 0, 100)
  }
};

/** A name of a list, or the default. */
async function askName(
  title: string,
  request: GenerationRequest,
  setting: 'sampling_method' | 'scheduler',
  names: readonly string[]
): Promise<GenerationRequest> {
  const present = request[setting];
  const items = [
    { label: '$(discard) Default', name: undefined, ...(present === undefined && { description: 'current' }) },
    ...names.map((name) => ({ label: name, name, ...(name === present && { description: 'current' }) }))
  ];
  const chosen = await window.showQuickPick(items, { title, ignoreFocusOut: true });
  if (!chosen) return request;
  const { [setting]: _, ...others } = request;
  return chosen.name === undefined ? others : { ...others, [setting]: chosen.name };
}

async function askNegativePrompt(title: string, request: GenerationRequest): Promise<GenerationRequest> {
  const text = await window.showInputBox({
    title,
    prompt: `What the image should not show. ${LEAVE}`,
    value: request.negative_prompt ?? '',
    ignoreFocusOut: true
  });
  if (text === undefined) return request;
  const { negative_prompt: _, ...others } = request;
  return text.trim() === '' ? others : { ...others, negative_prompt: text };
}

function withoutSampling(request: GenerationRequest): GenerationRequest {
  const names: ReadonlySet<string> = new Set(SAMPLING_SETTINGS);
  const others = Object.entries(request).filter(([name]) => !names.has(name));
  return { ...Object.fromEntries(others), prompt: request.prompt };
}
