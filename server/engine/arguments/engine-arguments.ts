import { dirname, parse } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { GenerationRequest } from '../../../shared/generation';
import type { GenerationDefaults } from '../../../shared/manifest/generation-defaults';
import { type EngineFile, fileOptions } from './engine-files';
import {
  type EngineCommand,
  type EngineOption,
  engineCommand,
  essential,
  type KnownOptions,
  optional
} from './engine-option';
import type { GenerationMode } from './mode';
import { checkLoraTags, checkText } from './prompt';
import { checkCombination, settingOptions } from './setting-options';

/** The images of a request as the engine gets them: absolute paths. */
export interface InputImages {
  readonly initImage?: string;
  readonly mask?: string;
  readonly references?: readonly string[];
  readonly controlImage?: string;
}

/** What the arguments of a run follow from. */
export interface GenerationArguments {
  readonly mode: GenerationMode;
  readonly files: readonly EngineFile[];
  /** The manifest's defaults. */
  readonly defaults: GenerationDefaults;
  readonly request: GenerationRequest;
  readonly inputs: InputImages;
  readonly abilities: KnownOptions;
  readonly seed: number;
  readonly threads: number;
  /** Name or path of the image that we chose; the engine numbers the files of a batch. */
  readonly output: string;
  /** A folder without files, for models without a LoRA: else the engine searches its working directory. */
  readonly emptyFolder: string;
}

/**
 * The arguments that generate images: values of the request win over the manifest's defaults, those over the
 * engine's.
 * @throws Failure 'bad-request' when a text, a LoRA tag, a file or a combination of values cannot be passed on;
 * 'engine-unusable' when the build lacks what the run needs
 */
export function engineArguments(input: GenerationArguments): EngineCommand {
  const { mode, files, defaults, request, inputs, abilities, seed, threads, output, emptyFolder } = input;
  checkCombination(request, mode);
  const loras = files.filter(({ role }) => role === 'lora').map(({ path }) => path);
  const names = new Set(loras.map((path) => parse(path).name));
  checkText('prompt', request.prompt);
  checkLoraTags('prompt', request.prompt, names);
  checkLoraTags('negative_prompt', request.negative_prompt ?? defaults.negative_prompt ?? '', names);
  return engineCommand(
    [
      ...fileOptions(files, { withControlNet: inputs.controlImage !== undefined }),
      essential('--lora-model-dir', loraFolder(loras) ?? emptyFolder),
      ...imageOptions(request, inputs),
      ...settingOptions(request, defaults),
      essential('--batch-count', String(request.images ?? 1)),
      essential('--seed', String(seed)),
      optional('--threads', String(threads)),
      essential('--prompt', request.prompt),
      essential('--output', output)
    ],
    abilities
  );
}

function imageOptions({ strength, control_strength }: GenerationRequest, inputs: InputImages): EngineOption[] {
  const { initImage, mask, references = [], controlImage } = inputs;
  return [
    ...(initImage === undefined ? [] : [essential('--init-img', initImage)]),
    ...(mask === undefined ? [] : [essential('--mask', mask)]),
    ...references.map((reference) => essential('--ref-image', reference)),
    ...(controlImage === undefined ? [] : [essential('--control-image', controlImage)]),
    ...(strength === undefined ? [] : [essential('--strength', String(strength))]),
    ...(control_strength === undefined ? [] : [essential('--control-strength', String(control_strength))])
  ];
}

function loraFolder(paths: readonly string[]): string | undefined {
  const [folder, ...others] = new Set(paths.map((path) => dirname(path)));
  if (others.length === 0) return folder;
  throw new Failure('bad-request', 'The LoRA files of the model lie in different folders.', {
    subject: 'files',
    nextStep: 'Put them into one folder.'
  });
}
