import { type QuickPickItem, window } from 'vscode';
import type { PartialRequest } from '../../shared/found-request';
import { type GenerationRequest, LARGEST_SEED } from '../../shared/generation';
import { askImageSetting, type ImageSetting, imageChoices } from './image-settings';

/** Image size in pixels, as far as it is set. */
export interface ImageSize {
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/**
 * Asks for a prompt, then shows seed and size with their defaults.
 * @param prefilled what the questions begin with; what is not asked for stays as it is
 * @returns undefined when the user leaves
 */
export async function askRequest(
  model: string,
  defaults: ImageSize,
  prefilled: PartialRequest
): Promise<GenerationRequest | undefined> {
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
  return refine(title, { ...prefilled, prompt }, defaults);
}

interface Choice extends QuickPickItem {
  readonly change?: 'seed' | 'size' | ImageSetting;
}

/** One step that shows what will be used; entries lead to a question and back. */
async function refine(
  title: string,
  first: GenerationRequest,
  defaults: ImageSize
): Promise<GenerationRequest | undefined> {
  let request = first;
  for (;;) {
    const chosen = await window.showQuickPick(choices(request, defaults), { title, ignoreFocusOut: true });
    if (!chosen) return undefined;
    if (chosen.change === undefined) return request;
    request = await askAgain(title, request, chosen.change);
  }
}

function askAgain(
  title: string,
  request: GenerationRequest,
  change: NonNullable<Choice['change']>
): Promise<GenerationRequest> {
  if (change === 'seed') return askSeed(title, request);
  return change === 'size' ? askSize(title, request) : askImageSetting(title, request, change);
}

function choices(request: GenerationRequest, defaults: ImageSize): Choice[] {
  const { prompt, seed, width, height, images: _images, strength: _strength, mask: _mask, ...others } = request;
  return [
    { label: '$(sparkle) Generate', description: settingsText(others), detail: prompt },
    { label: '$(symbol-numeric) Seed', description: seed === undefined ? 'random' : String(seed), change: 'seed' },
    {
      label: '$(screen-full) Size',
      description: width === undefined ? unsetSize(request, defaults) : sizeText({ width, height }),
      change: 'size'
    },
    ...imageChoices(request)
  ];
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
  return isKnown ? `${sizeText(defaults)}, the model's default` : "the engine's default";
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
