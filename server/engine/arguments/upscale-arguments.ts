import { Failure } from '../../../shared/failure';
import type { EngineFile } from './engine-file';
import { type EngineCommand, engineCommand, essential, type KnownOptions, optional } from './engine-option';

/** What the arguments of enlarging follow from. */
export interface UpscaleArguments {
  readonly files: readonly EngineFile[];
  /** Absolute path of the image as the engine gets it. */
  readonly image: string;
  readonly abilities: KnownOptions;
  readonly threads: number;
  /** Name of the image that comes out, in the engine's working directory. */
  readonly output: string;
}

/**
 * The arguments that enlarge one image.
 * @throws Failure 'bad-request' when the model has nothing that enlarges; 'engine-unusable' when the build cannot
 */
export function upscaleArguments({ files, image, abilities, threads, output }: UpscaleArguments): EngineCommand {
  const upscaler = files.find(({ role }) => role === 'upscale_model');
  if (!upscaler) {
    throw new Failure('bad-request', 'Enlarging needs a file with the role "upscale_model", and the model has none.', {
      subject: 'upscale_model',
      nextStep: 'Take a model that has one, for example of ESRGAN.'
    });
  }
  return engineCommand(
    [
      essential('--mode', 'upscale'),
      essential('--upscale-model', upscaler.path),
      essential('--init-img', image),
      optional('--threads', String(threads)),
      essential('--output', output)
    ],
    abilities
  );
}
