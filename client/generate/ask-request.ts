import { type QuickPickItem, window } from 'vscode';
import { LOCAL_DEVICE } from '../../shared/engine-settings';
import type { PartialRequest } from '../../shared/found-request';
import { type GenerationChoices, type GenerationRequest, LARGEST_SEED } from '../../shared/generation';
import { ENGINE_DEFAULT } from './ask-value';
import { askImageSetting, type ImageSetting, imageChoices } from './image-settings';
import { askSampling, SAMPLING_SETTINGS, samplingText } from './sampling-settings';

/** Image size in pixels, as far as it is set. */
export interface ImageSize {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** What the questions go by. */
export interface Background {
  readonly model: string;
  /** Asked for while somebody writes the prompt; never rejects. */
  readonly choices: Promise<GenerationChoices>;
  /** Names of devices elsewhere that the settings know, and the one that they prefer. */
  readonly devices: readonly string[];
  readonly usualDevice: string | undefined;
}

/** What somebody asks for. */
export interface Wish {
  readonly request: GenerationRequest;
  /** Absent: the device that the settings name. */
  readonly device?: string | undefined;
}

/**
 * Asks for a prompt, then shows what else can be set, with what counts now.
 * @param prefilled what the questions begin with; what is not asked for stays as it is
 * @returns undefined when the user leaves
 */
export async function askRequest(background: Background, prefilled: PartialRequest): Promise<Wish | undefined> {
  const { model } = background;
  const title = `Generate with ${model}`;
  // An input box has one line. What is left as it was keeps its lines.
  const line = prefilled.prompt?.replaceAll(/\s*\n\s*/g, ' ');
  const answer = await window.showInputBox({
    title,
    prompt: 'What should the image show?',
    placeHolder: 'a lighthouse at dusk',
    ...(line !== undefined && { value: line }),
    ignoreFocusOut: true
  });
  if (answer === undefined || answer.trim() === '') return undefined;
  const prompt = answer === line ? (prefilled.prompt ?? answer) : answer;
  return refine(title, { request: { ...prefilled, prompt } }, background);
}

interface Choice extends QuickPickItem {
  readonly change?: 'seed' | 'size' | 'sampling' | 'device' | ImageSetting;
}

/** One step that shows what will be used; entries lead to a question and back. */
async function refine(title: string, first: Wish, background: Background): Promise<Wish | undefined> {
  const choices = await background.choices;
  let wish = first;
  for (;;) {
    const chosen = await window.showQuickPick(entries(wish, choices, background), { title, ignoreFocusOut: true });
    if (!chosen) return undefined;
    const { change } = chosen;
    if (change === undefined) return wish;
    wish = await changed(title, wish, change, { ...background, choices });
  }
}

async function changed(
  title: string,
  wish: Wish,
  change: NonNullable<Choice['change']>,
  background: Pick<Background, 'devices'> & { readonly choices: GenerationChoices }
): Promise<Wish> {
  const { request, device } = wish;
  if (change === 'device') return { request, device: (await askDevice(title, background)) ?? device };
  if (change === 'sampling') return { request: await askSampling(title, request, background.choices), device };
  return { request: await askAgain(title, request, change), device };
}

function askAgain(
  title: string,
  request: GenerationRequest,
  change: Exclude<Choice['change'], 'sampling' | 'device' | undefined>
): Promise<GenerationRequest> {
  if (change === 'seed') return askSeed(title, request);
  return change === 'size' ? askSize(title, request) : askImageSetting(title, request, change);
}

function entries(
  { request, device }: Wish,
  { defaults, inputs }: GenerationChoices,
  { devices, usualDevice }: Pick<Background, 'devices' | 'usualDevice'>
): Choice[] {
  const { prompt, seed, width, height } = request;
  const others = Object.fromEntries(Object.entries(request).filter(([name]) => !SHOWN.has(name)));
  const where = device ?? usualDevice ?? LOCAL_DEVICE;
  return [
    { label: '$(sparkle) Generate', description: settingsText(others), detail: prompt },
    { label: '$(symbol-numeric) Seed', description: seed === undefined ? 'random' : String(seed), change: 'seed' },
    {
      label: '$(screen-full) Size',
      description: width === undefined ? unsetSize(request, defaults) : sizeText({ width, height }),
      change: 'size'
    },
    ...imageChoices(request, inputs),
    {
      label: '$(settings-gear) More Settings…',
      description: samplingText(request) || 'steps, sampling method, guidance, second pass…',
      change: 'sampling'
    },
    ...(devices.length === 0
      ? []
      : [{ label: '$(vm) Device', description: deviceText(where), change: 'device' } as const])
  ];
}

/** Settings that have an entry of their own, or that the prompt's tells. */
const SHOWN: ReadonlySet<string> = new Set<string>([
  ...SAMPLING_SETTINGS,
  'prompt',
  'seed',
  'width',
  'height',
  'images',
  'init_image',
  'strength',
  'mask',
  'references',
  'control_image',
  'control_strength'
]);

async function askDevice(title: string, { devices }: Pick<Background, 'devices'>): Promise<string | undefined> {
  const items = [LOCAL_DEVICE, ...devices].map((name) => ({ label: deviceText(name), name }));
  return (await window.showQuickPick(items, { title, placeHolder: 'Where?', ignoreFocusOut: true }))?.name;
}

function deviceText(name: string): string {
  return name === LOCAL_DEVICE ? 'this machine' : name;
}

/** Settings that nobody is asked for here, where a request came with some. */
function settingsText(settings: Readonly<Record<string, unknown>>): string {
  const texts = Object.entries(settings).map(
    ([name, value]) => `${name.replaceAll('_', ' ')} ${typeof value === 'string' ? value : JSON.stringify(value)}`
  );
  return texts.join(', ');
}

function sizeText({ width, height }: ImageSize): string {
  return `${width ?? '?'} × ${height ?? '?'} pixels`;
}

function unsetSize({ init_image: image }: GenerationRequest, defaults: ImageSize): string {
  if (image !== undefined) return 'that of the image';
  const isKnown = defaults.width !== undefined || defaults.height !== undefined;
  return isKnown ? `${sizeText(defaults)}, the model's default` : ENGINE_DEFAULT;
}

async function askSeed(title: string, request: GenerationRequest): Promise<GenerationRequest> {
  const text = await window.showInputBox({
    title,
    prompt: 'Seed: the same seed and settings make the same image. Leave it empty for a random one.',
    value: request.seed === undefined ? '' : String(request.seed),
    ignoreFocusOut: true,
    validateInput: (value) =>
      value.trim() === '' || readSeed(value) !== undefined ? undefined : `Write a whole number up to ${LARGEST_SEED}.`
  });
  if (text === undefined) return request;
  const { seed: _, ...others } = request;
  const seed = readSeed(text);
  return seed === undefined ? others : { ...others, seed };
}

async function askSize(title: string, request: GenerationRequest): Promise<GenerationRequest> {
  const { width, height, ...others } = request;
  const text = await window.showInputBox({
    title,
    prompt: "Width and height in pixels. Leave it empty for the model's default.",
    placeHolder: '512x512',
    value: width === undefined ? '' : `${width}x${height ?? width}`,
    ignoreFocusOut: true,
    validateInput: (value) =>
      value.trim() === '' || readSize(value)
        ? undefined
        : `Write two numbers from ${SMALLEST_SIDE} to ${LARGEST_SIDE}, like 512x512.`
  });
  if (text === undefined) return request;
  return { ...others, ...readSize(text) };
}

const SMALLEST_SIDE = 64;
const LARGEST_SIDE = 8192;

function readSeed(text: string): number | undefined {
  const seed = /^\s*\d+\s*$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(seed) ? seed : undefined;
}

function readSize(text: string): { width: number; height: number } | undefined {
  const [, first, second] = /^\s*(\d{1,5})\s*[x×*, ]\s*(\d{1,5})\s*$/i.exec(text) ?? [];
  const [width, height] = [Number(first), Number(second)];
  return isSide(width) && isSide(height) ? { width, height } : undefined;
}

function isSide(pixels: number): boolean {
  return pixels >= SMALLEST_SIDE && pixels <= LARGEST_SIDE;
}
