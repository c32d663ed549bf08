import { realpath } from 'node:fs/promises';
import { basename, parse } from 'node:path';
import { Failure } from '../../../shared/failure';
import { SETTINGS } from '../../../shared/settings';
import { askedLoras, loraPaths } from '../../engine/arguments/lora-files';
import { identifyModel } from '../../engine/arguments/model-identity';
import { isPickle } from '../../engine/check-weights';
import type { ImageSidecar } from '../../gallery/sidecar';
import { fileFailure } from '../../platform/system-error';
import { readDigest } from '../../store/read-digest';
import type { WeightsDescription } from '../../weights/describe';
import { FAMILY_NAMES } from '../../weights/families';
import type { Services } from '../services';
import type { SoundModel } from './check';
import type { GenerateOptions } from './generate-options';
import { ownLoras, type RunParts } from './prepare';
import { allowsPickles } from './read-files';

/** A LoRA of the user's own, as the description of an image names it. */
export type OwnLora = NonNullable<ImageSidecar['loras']>[number];

/**
 * Makes sure that the LoRAs that prompts ask for are some, and for the model: sd-cli takes what it cannot use for no
 * LoRA at all, and goes on.
 * @returns those that are no files of the model
 * @throws Failure 'bad-weights', 'unsupported-weights', 'file-access'
 */
export async function checkedLoras(
  services: Services,
  { model, request, loraFolder }: Pick<RunParts, 'model' | 'request' | 'loraFolder'>,
  signal: AbortSignal
): Promise<readonly OwnLora[]> {
  const paths = loraPaths(model.files, await ownLoras(loraFolder));
  const own: OwnLora[] = [];
  for (const path of askedLoras([request.prompt, request.negative_prompt ?? ''], paths)) {
    const file = model.files.find((other) => other.path === path);
    requireFitting(path, file ? file.weights : await readOwn(services, model, path), model);
    if (!file) own.push({ name: parse(path).name, digest: await digestOf(services, path, signal) });
  }
  return own;
}

/**
 * What is not as it was of the LoRAs that an image was made with, a sentence each. One that is gone the run itself names.
 * @throws Failure('file-access')
 */
export async function changedLoras(
  services: Services,
  then: readonly OwnLora[],
  { loraFolder = services.loraFolder, signal }: Pick<GenerateOptions, 'loraFolder' | 'signal'>
): Promise<readonly string[]> {
  const now = new Map((await ownLoras(loraFolder)).map((path) => [parse(path).name, path]));
  const sentences: string[] = [];
  for (const { name, digest } of then) {
    const path = now.get(name);
    if (path === undefined || (await digestOf(services, path, signal)) === digest) continue;
    sentences.push(`The LoRA ${name} has another content than it had.`);
  }
  return sentences;
}

async function readOwn(services: Services, { name }: SoundModel, path: string): Promise<WeightsDescription> {
  const reading = await services.weights.look(path);
  if (reading.kind === 'refused') {
    const { code, message } = reading.failure;
    throw new Failure(code, `The LoRA ${basename(path)} cannot be used. ${message}`, {
      subject: path,
      nextStep: 'Fetch the file again, or take it out of the prompt.',
      cause: reading.failure
    });
  }
  const { description } = reading;
  if (!isPickle(description) || allowsPickles(services, name)) return description;
  throw new Failure('unsupported-weights', `The LoRA ${basename(path)} is a pickle, which can run code.`, {
    subject: path,
    nextStep: `Take it as safetensors or GGUF, or allow pickles of this model in ${SETTINGS.allowPickle.key}.`,
    remedy: { kind: 'setting', key: SETTINGS.allowPickle.key }
  });
}

/** What is not certain is left to the engine. */
function requireFitting(path: string, weights: WeightsDescription | undefined, { files }: SoundModel): void {
  const { family, name: model } = identifyModel(files);
  const component = weights?.component;
  if (component !== undefined && component !== 'lora') {
    throw new Failure('unsupported-weights', `${basename(path)} is no LoRA.`, {
      subject: path,
      nextStep: 'Take it out of the folder of LoRAs, or out of the prompt.'
    });
  }
  if (weights?.family === undefined || family === undefined || weights.family === family) return;
  const made = FAMILY_NAMES[weights.family];
  throw new Failure(
    'unsupported-weights',
    `The LoRA ${basename(path)} was made for ${made}, and the model is ${model}.`,
    {
      subject: path,
      nextStep: 'Take a LoRA that was made for this kind of model.'
    }
  );
}

async function digestOf({ hasher, proofs }: Services, path: string, signal: AbortSignal): Promise<OwnLora['digest']> {
  try {
    await proofs.refresh();
    return (await readDigest(await realpath(path), { hasher, proofs, signal })).digest;
  } catch (error) {
    throw fileFailure(error, 'The LoRA cannot be read.', path);
  }
}
