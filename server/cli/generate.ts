import { copyFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Failure } from '../../shared/failure';
import { type GenerationRequest, generationRequest } from '../../shared/generation';
import { readGenerationRequest } from '../operations/generate/check';
import { generateImage } from '../operations/generate/generate-image';
import { findModel } from '../operations/known-models';
import { fileFailure } from '../platform/system-error';
import type { Command, CommandInput } from './command';
import { minutesOf, reported } from './generation-report';
import { onlyArgument } from './model-arguments';

export const generate: Command = {
  name: 'generate',
  usage: 'NAME --prompt TEXT [--seed N] [--output FILE] [--preview FILE] [--time-limit MINUTES] [--set key=value…]',
  summary: 'makes an image and prints its path',
  options: {
    prompt: { type: 'string', short: 'p' },
    seed: { type: 'string' },
    output: { type: 'string', short: 'o' },
    preview: { type: 'string' },
    'time-limit': { type: 'string' },
    set: { type: 'string', multiple: true }
  },
  async run(input, { services, console, signal, folder }) {
    const name = onlyArgument(input, 'model');
    const request = requestOf(input);
    const model = await findModel(services, name);
    const options = { signal, timeLimitMinutes: minutesOf(input.text('time-limit')) };
    const preview = input.text('preview');
    const previewPath = preview === undefined ? undefined : resolve(folder, preview);
    const result = await reported(name, console, previewPath, (sinks) =>
      generateImage(services, model, request, { ...options, ...sinks })
    );
    const [image] = result.images;
    const output = input.text('output');
    if (image && output !== undefined) await exportImage(image.path, resolve(folder, output));
    console.document(result);
    for (const warning of result.warnings) console.remark(`${console.paint('yellow', 'warning')}: ${warning}`);
    for (const { width, height, seed, id } of result.images)
      console.remark(`${width} × ${height}, seed ${seed}, id ${id}`);
    for (const { path } of result.images) console.answer(path);
    return 0;
  }
};

/** @throws Failure('wrong-usage'), Failure('bad-request') that names the option */
function requestOf(input: CommandInput): GenerationRequest {
  const prompt = input.text('prompt');
  if (prompt === undefined) throw new Failure('wrong-usage', 'Say what to generate with --prompt TEXT.');
  const seed = input.text('seed');
  const values: Record<string, unknown> = Object.fromEntries(input.texts('set').map(setting));
  return readGenerationRequest({ ...values, prompt, ...(seed !== undefined && { seed: valueOf(seed) }) });
}

function setting(text: string): [string, unknown] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new Failure('wrong-usage', '--set takes key=value.');
  const key = text.slice(0, equals);
  if (!Object.hasOwn(generationRequest.shape, key)) {
    const known = Object.keys(generationRequest.shape).join(', ');
    throw new Failure('wrong-usage', `--set knows no "${key}".`, { nextStep: `Known are: ${known}.` });
  }
  return [key, valueOf(text.slice(equals + 1))];
}

/** A number or a truth where the text is one, else the text. */
function valueOf(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

async function exportImage(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    throw fileFailure(error, 'The image cannot be written there; it is in the gallery.', to);
  }
}
