import { resolve } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { GenerationRequest } from '../../../shared/generation';
import { requestOption } from '../../../shared/request-option';
import { readGenerationRequest } from '../../operations/generate/check';
import {
  IMAGE_FIELDS,
  putValue,
  REQUEST_VALUES,
  type RequestValue,
  valueOfTexts
} from '../../operations/generate/request-values';
import type { CommandInput, CommandOptions } from '../command';

/** The options of a request, one for each of its values: `cfg_scale` is `--cfg-scale`, `hires.scale` is `--hires-scale`. */
export const REQUEST_OPTIONS: CommandOptions = {
  ...Object.fromEntries(
    REQUEST_VALUES.map(({ path, kind }) => [
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
    putValue(given, value.path, valueFrom(value, [written], folder));
  }
  for (const value of REQUEST_VALUES) {
    const option = requestOption(value.path);
    const written = value.kind === 'truth' ? (input.flag(option) ? ['true'] : []) : input.texts(option);
    if (written.length > 0) putValue(given, value.path, valueFrom(value, written, folder));
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
  const value = REQUEST_VALUES.find(({ path }) => path === key);
  if (value) return { value, written: text.slice(equals + 1) };
  const known = REQUEST_VALUES.map(({ path }) => path).join(', ');
  throw new Failure('wrong-usage', `--set knows no "${key}".`, { nextStep: `Known are: ${known}.` });
}

function valueFrom(value: RequestValue, written: readonly string[], folder: string): unknown {
  const isImage = IMAGE_FIELDS.has(value.path);
  return valueOfTexts(value, isImage ? written.map((text) => resolve(folder, text)) : written);
}
