import { resolve } from 'node:path';
import * as z from 'zod';
import { Failure } from '../../shared/failure';
import { type GenerationRequest, generationRequest } from '../../shared/generation';
import { requestOption } from '../../shared/request-option';
import { readGenerationRequest } from '../operations/generate/check';
import type { CommandInput, CommandOptions } from './command';

/** Fields that name images, by paths which are relative to where the command line runs. */
const IMAGE_FIELDS: ReadonlySet<string> = new Set(['init_image', 'mask', 'control_image', 'references']);

/** A value of a request: where it goes, and what it is. */
interface RequestValue {
  /** With a dot before a field of a field. */
  readonly path: string;
  readonly kind: 'text' | 'number' | 'truth' | 'texts';
}

const VALUES = valuesOf(generationRequest, '');

/** The options of a request, one for each of its values: `cfg_scale` is `--cfg-scale`, `hires.scale` is `--hires-scale`. */
export const REQUEST_OPTIONS: CommandOptions = {
  ...Object.fromEntries(
    VALUES.map(({ path, kind }) => [
      requestOption(path),
      {
        type: kind === 'truth' ? 'boolean' : 'string',
        ...(kind === 'texts' && { multiple: true }),
        ...(path === 'prompt' && { short: 'p' })
      } as const
    ])
  ),
  set: { type: 'string', multiple: true }
};

/** What a usage line says of them. */
export const REQUEST_USAGE =
  '[--seed N] [--images N] [--width N] [--height N] [--init-image FILE [--strength S] [--mask FILE]] ' +
  '[--reference FILE…] [--control-image FILE] [--hires-scale F] [--set key=value…]';

/**
 * What the options of a command line say of a request; those that are not there are left out.
 * @param folder absolute path that images are relative to
 * @throws Failure('wrong-usage') when `--set` names nothing of a request
 */
export function requestValues(input: CommandInput, folder: string): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = {};
  for (const text of input.texts('set')) {
    const { value, written } = setting(text);
    put(given, value.path, valueFrom(value, [written], folder));
  }
  for (const value of VALUES) {
    const option = requestOption(value.path);
    const written = value.kind === 'truth' ? (input.flag(option) ? ['true'] : []) : input.texts(option);
    if (written.length > 0) put(given, value.path, valueFrom(value, written, folder));
  }
  return given;
}

/** @throws Failure('wrong-usage'), Failure('bad-request') that names the field */
export function requestOf(input: CommandInput, folder: string): GenerationRequest {
  const values = requestValues(input, folder);
  if (values['prompt'] === undefined) throw new Failure('wrong-usage', 'Say what to generate with --prompt TEXT.');
  return readGenerationRequest(values);
}

function setting(text: string): { value: RequestValue; written: string } {
  const equals = text.indexOf('=');
  if (equals < 1) throw new Failure('wrong-usage', '--set takes key=value.');
  const key = text.slice(0, equals);
  const value = VALUES.find(({ path }) => path === key);
  if (value) return { value, written: text.slice(equals + 1) };
  const known = VALUES.map(({ path }) => path).join(', ');
  throw new Failure('wrong-usage', `--set knows no "${key}".`, { nextStep: `Known are: ${known}.` });
}

function put(given: Record<string, unknown>, path: string, value: unknown): void {
  const [field = '', inner] = path.split('.');
  given[field] = inner === undefined ? value : { ...Object(given[field]), [inner]: value };
}

/** What is no number or truth stays a text, and the request refuses it by name. */
function valueFrom({ path, kind }: RequestValue, written: readonly string[], folder: string): unknown {
  const texts = IMAGE_FIELDS.has(path) ? written.map((text) => resolve(folder, text)) : written;
  const last = texts.at(-1) ?? '';
  switch (kind) {
    case 'texts':
      return texts;
    case 'text':
      return last;
    case 'number':
      return last.trim() !== '' && Number.isFinite(Number(last)) ? Number(last) : last;
    case 'truth':
      return last === 'true' ? true : last === 'false' ? false : last;
  }
}

function valuesOf(schema: z.ZodObject, prefix: string): RequestValue[] {
  const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
  return Object.entries(shape).flatMap(([name, field]) => {
    const inner = field instanceof z.ZodOptional ? field.unwrap() : field;
    const path = `${prefix}${name}`;
    return inner instanceof z.ZodObject ? valuesOf(inner, `${path}.`) : [{ path, kind: kindOf(inner) }];
  });
}

function kindOf(schema: z.core.$ZodType): RequestValue['kind'] {
  if (schema instanceof z.ZodBoolean) return 'truth';
  if (schema instanceof z.ZodArray) return 'texts';
  return schema instanceof z.ZodNumber ? 'number' : 'text';
}
