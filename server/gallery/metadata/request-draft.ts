import type * as z from 'zod';
import { type FoundRequest, partialRequest, type RequestOrigin } from '../../../shared/found-request';
import { generationRequest } from '../../../shared/generation';

type Field = keyof typeof generationRequest.shape;

/** Sentences about what was left out that are kept. */
const MOST_SENTENCES = 30;

/** The most characters of somebody else's text that a sentence quotes. */
const LONGEST_QUOTE = 60;

/** A request as it is gathered from what an image says about itself: only values that a request may have get in. */
export class RequestDraft {
  readonly #values: Record<string, unknown> = {};
  readonly #models = new Set<string>();
  readonly #leftOut = new Set<string>();

  /**
   * Takes a value over, or says why it is not; undefined and null say nothing.
   * @param shown the value as the image has it
   */
  take(field: Field, value: unknown, shown = value): void {
    if (value === undefined || value === null) return;
    const schema: z.ZodType = generationRequest.shape[field];
    const parsed = schema.safeParse(value);
    if (parsed.success) this.#values[field] = parsed.data;
    else this.leaveOut(`The image says ${field.replaceAll('_', ' ')} ${quoted(shown)}, which is not possible here.`);
  }

  /** Takes the number over that a text is. */
  takeNumber(field: Field, text: string | undefined): void {
    if (text === undefined) return;
    const number = text.trim() === '' ? Number.NaN : Number(text);
    this.take(field, Number.isFinite(number) ? number : text, text);
  }

  /** Adds a tag to the prompt, as sd-cli wants LoRAs to be asked for. */
  addLora(file: string, weight: number, isForHighNoise = false): void {
    const prompt = this.#values['prompt'];
    const tag = `<lora:${isForHighNoise ? '|high_noise|' : ''}${stemOf(file)}:${plainNumber(weight)}>`;
    this.#values['prompt'] = `${typeof prompt === 'string' ? prompt : ''}${tag}`;
  }

  /** Notes the name of a model's file. */
  made(by: unknown): void {
    if (typeof by === 'string' && by.trim() !== '') this.#models.add(clipped(baseOf(by.trim())));
  }

  /** @param sentence about what the image says and the request cannot */
  leaveOut(sentence: string): void {
    this.#leftOut.add(sentence);
  }

  finish(origin: RequestOrigin): FoundRequest {
    const all = [...this.#leftOut];
    const kept = all.length > MOST_SENTENCES ? all.slice(0, MOST_SENTENCES) : all;
    const rest = all.length - kept.length;
    return {
      origin,
      request: partialRequest.parse(this.#values),
      models: [...this.#models].slice(0, MOST_SENTENCES),
      leftOut: rest > 0 ? [...kept, `${rest} more could not be taken over.`] : kept
    };
  }
}

/** A value of somebody else's as a sentence quotes it: one line, not long. */
export function quoted(value: unknown): string {
  // Lists and objects may be nested so deeply that their text cannot be made.
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return '"…"';
  // What JSON rounded is not told as if it stood there.
  const isRounded = typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return isRounded ? `beyond ${Number.MAX_SAFE_INTEGER}` : `"${clipped(String(value))}"`;
}

/** Single precision, as sd-cli writes its numbers, without what it adds: 0.8 and not 0.800000011920929. */
export function plainNumber(value: number): number {
  return Number(value.toPrecision(7));
}

function clipped(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > LONGEST_QUOTE ? `${line.slice(0, LONGEST_QUOTE - 1)}…` : line;
}

/** The name of a file, whichever system's path it had. */
function baseOf(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

function stemOf(path: string): string {
  return baseOf(path).replace(/\.(?:safetensors|ckpt|pt|gguf)$/i, '');
}
