import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { Failure } from '../../../shared/failure';
import { type GenerationRequest, generationRequest } from '../../../shared/generation';
import type { CommandOfImageParams } from '../../../shared/protocol';
import { requestOption } from '../../../shared/request-option';
import { quotedFor } from '../../../shared/shell-quoting';
import { engineArguments, imagesAsNamed } from '../../engine/arguments/engine-arguments';
import { UNKNOWN_BUILD } from '../../engine/arguments/engine-option';
import { askedLoras, loraPaths } from '../../engine/arguments/lora-files';
import { modeOf } from '../../engine/arguments/mode';
import type { StoredImage } from '../../gallery/images';
import { soundModel } from '../generate/check';
import { ownLoras } from '../generate/prepare';
import { requestOfThen } from '../generate/repeat';
import { findModel } from '../models/known-models';
import type { Services } from '../services';

/**
 * The command line that makes an image again, with the settings written out.
 * @throws Failure when an input image is gone, a text cannot be quoted for the shell, or, for sd-cli, the model is not
 * installed or needs what only a run of ours can give it
 */
export async function commandOfImage(
  services: Services,
  image: StoredImage,
  { program, shell }: Pick<CommandOfImageParams, 'program' | 'shell'>
): Promise<string> {
  const { request } = await requestOfThen(services, image.sidecar, {});
  const { name } = image.sidecar.model;
  const words =
    program === 'sd-cli'
      ? await engineWords(services, name, request)
      : [...dockWords(name, request), ...loraWords(services, image)];
  return quotedFor(shell, [program, ...words]);
}

/** A command line knows no setting for the user's own folder of LoRAs. */
function loraWords({ loraFolder }: Services, { sidecar: { loras = [] } }: StoredImage): string[] {
  return loras.length === 0 || loraFolder === undefined ? [] : ['--lora-folder', loraFolder];
}

/** Fields that the command line has no options for are none of a request of ours. */
function dockWords(model: string, request: GenerationRequest): string[] {
  const known = Object.keys(generationRequest.shape);
  const { prompt, seed, ...settings } = Object.fromEntries(
    Object.entries(request).filter(([name]) => known.includes(name))
  );
  const values = Object.entries({ prompt, seed, ...settings });
  return ['generate', model, ...values.flatMap(([name, value]) => optionWords(name, value))];
}

function optionWords(path: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((one) => optionWords(path, one));
  if (typeof value === 'object') {
    return Object.entries(value).flatMap(([name, inner]) => optionWords(`${path}.${name}`, inner));
  }
  const option = `--${requestOption(path)}`;
  if (value === true) return [option];
  if (value === false) return ['--set', `${path}=false`];
  // What begins like an option is joined to its own, so that it is not taken for one.
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.startsWith('-') ? [`${option}=${text}`] : [option, text];
}

async function engineWords(services: Services, name: string, request: GenerationRequest): Promise<readonly string[]> {
  const { files } = await soundModel(services, await findModel(services, name));
  const paths = loraPaths(files, await ownLoras(services.loraFolder));
  const asked = askedLoras([request.prompt, request.negative_prompt ?? ''], paths);
  const [folder = '.', ...others] = new Set(asked.map((path) => dirname(path)));
  if (others.length > 0) throw needsOurRun('The LoRAs lie in different folders');
  if (files.some(({ role }) => role === 'embedding')) throw needsOurRun('The embeddings lie beside other files');
  const { seed = 0 } = request;
  const { options } = engineArguments({
    files,
    request,
    inputs: imagesAsNamed(request),
    // Without the help of a build nothing is left out.
    abilities: UNKNOWN_BUILD,
    seed,
    threads: availableParallelism(),
    output: `${name}-${seed}${modeOf(request) === 'video' ? '.avi' : '.png'}`,
    loras: new Set(paths.keys()),
    loraFolder: folder
  });
  return options;
}

function needsOurRun(reason: string): Failure {
  return new Failure('bad-request', `${reason}, which sd-cli alone cannot be given.`, {
    nextStep: 'Take the command line of diffusion-dock.'
  });
}
