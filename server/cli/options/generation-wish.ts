import { resolve } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { GenerationRequest } from '../../../shared/generation';
import { foundRequestOf } from '../../gallery/metadata/read-found-request';
import { readGenerationRequest } from '../../operations/generate/check';
import { type Repetition, repetitionOf } from '../../operations/generate/repeat';
import { type EnlargingAgain, enlargingAgain } from '../../operations/generate/repeat-enlarging';
import { findModel, type KnownModel } from '../../operations/models/known-models';
import type { CommandContext, CommandInput } from '../command';
import { onlyArgument } from './model-arguments';
import { pathOf } from './path-option';
import { requestOf, requestValues } from './request-options';

/** What a command line wants to be generated. */
export interface GenerationWish {
  readonly model: KnownModel;
  readonly request: GenerationRequest;
  /** What the user should know before it begins, one sentence each. */
  readonly remarks: readonly string[];
  /** What is repeated. */
  readonly like?: Pick<Repetition, 'image' | 'inputNames'>;
}

/** @throws Failure('wrong-usage'), Failure('bad-request') that names the option; what keeps from repeating an image */
export async function wishOf(input: CommandInput, context: CommandContext): Promise<GenerationWish> {
  const [like, file] = [input.text('like'), input.text('from-image')];
  if (like !== undefined && file !== undefined) {
    throw new Failure('wrong-usage', 'Give either --like or --from-image.');
  }
  const { services, folder } = context;
  if (like !== undefined) return repeat(like, input, context);
  const name = onlyArgument(input, 'model');
  if (file !== undefined) return readFrom(resolve(folder, file), name, requestValues(input, folder), context);
  const request = requestOf(input, folder);
  return { model: await findModel(services, name), request, remarks: [] };
}

/** The enlarging that `--like` means, when the image was not generated. @throws Failure of what keeps from it */
export async function enlargingWish(
  input: CommandInput,
  { services, signal }: CommandContext
): Promise<EnlargingAgain | undefined> {
  const image = input.text('like');
  if (image === undefined || input.text('from-image') !== undefined) return undefined;
  const model = input.names.length === 0 ? undefined : onlyArgument(input, 'model');
  return enlargingAgain(services, { image, model, signal });
}

async function repeat(
  image: string,
  input: CommandInput,
  { services, signal, folder }: CommandContext
): Promise<GenerationWish> {
  const { differences, ...repetition } = await repetitionOf(services, {
    image,
    model: input.names.length === 0 ? undefined : onlyArgument(input, 'model'),
    changes: requestValues(input, folder),
    loraFolder: pathOf(input, 'lora-folder', folder),
    device: input.text('device'),
    signal
  });
  return { ...repetition, remarks: differences, like: repetition };
}

async function readFrom(
  path: string,
  name: string,
  changes: Readonly<Record<string, unknown>>,
  { services }: CommandContext
): Promise<GenerationWish> {
  const { request, models, leftOut } = await foundRequestOf(path);
  const wanted = { ...request, ...changes };
  if (wanted.prompt === undefined) {
    throw new Failure('wrong-usage', `The image tells no prompt. ${leftOut.join(' ')}`.trim(), {
      nextStep: 'Say what to generate with --prompt TEXT.'
    });
  }
  return {
    model: await findModel(services, name),
    request: readGenerationRequest(wanted),
    remarks: [...(models.length > 0 ? [`The image was made with ${models.join(', ')}.`] : []), ...leftOut]
  };
}
