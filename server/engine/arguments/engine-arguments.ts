import type { GenerationRequest } from '../../../shared/generation';
import type { EngineFile } from './engine-file';
import { fileOptions } from './engine-files';
import {
  type EngineCommand,
  type EngineOption,
  engineCommand,
  essential,
  type KnownOptions,
  optional
} from './engine-option';
import { checkFamily, makesVideos } from './family-rules';
import { modeOf } from './mode';
import { identifyModel } from './model-identity';
import { checkLoraTags, checkText } from './prompt';
import { rpcOptions } from './rpc-options';
import { checkCombination, settingOptions, videoOptions } from './setting-options';

/** The images of a request as the engine gets them: absolute paths. */
export interface InputImages {
  readonly initImage?: string;
  readonly mask?: string;
  readonly references?: readonly string[];
  readonly controlImage?: string;
}

/** The images where the request names them, for arguments that no run of ours gets. */
export function imagesAsNamed(request: GenerationRequest): InputImages {
  const { init_image, mask, references, control_image } = request;
  return {
    ...(init_image !== undefined && { initImage: init_image }),
    ...(mask !== undefined && { mask }),
    ...(references && { references }),
    ...(control_image !== undefined && { controlImage: control_image })
  };
}

/** What the arguments of a run follow from. */
export interface GenerationArguments {
  readonly files: readonly EngineFile[];
  /** With every default filled in. */
  readonly request: GenerationRequest;
  readonly inputs: InputImages;
  readonly abilities: KnownOptions;
  readonly seed: number;
  readonly threads: number;
  /** Name or path of the image that we chose; the engine numbers the files of a batch. */
  readonly output: string;
  /** Names of the LoRAs that prompts may ask for. */
  readonly loras: ReadonlySet<string>;
  /** A folder with the LoRAs that the prompts ask for and nothing else: else the engine searches its working directory. */
  readonly loraFolder: string;
  /** A folder with the model's embeddings and nothing else; absent: there are none. */
  readonly embeddingFolder?: string;
  /** Other machines that lend their devices, as host:port; absent: none. */
  readonly rpcServers?: readonly string[];
}

/**
 * The arguments that generate images.
 * @throws Failure 'bad-request' when a text, a LoRA tag, a file or a combination of values cannot be passed on, or the
 * model cannot do what is asked for; 'engine-unusable' when the build lacks what the run needs
 */
export function engineArguments(input: GenerationArguments): EngineCommand {
  const { files, request, inputs, abilities, seed, threads, output, loras, loraFolder, embeddingFolder } = input;
  const model = identifyModel(files);
  const hasHighNoise = model.roles.has('high_noise_diffusion_model');
  checkCombination(request);
  checkFamily(model, modeOf(request), request);
  checkText('prompt', request.prompt);
  checkLoraTags('prompt', request.prompt, { loras, hasHighNoise });
  checkLoraTags('negative_prompt', request.negative_prompt ?? '', { loras, hasHighNoise });
  const named = fileOptions(files, model, { controlNet: inputs.controlImage !== undefined });
  const { options, unsent } = engineCommand(
    [
      ...(makesVideos(model) ? [essential('--mode', 'vid_gen')] : []),
      ...named.options,
      essential('--lora-model-dir', loraFolder),
      ...(embeddingFolder === undefined ? [] : [essential('--embd-dir', embeddingFolder)]),
      ...imageOptions(request, inputs),
      ...settingOptions(request, abilities),
      ...(makesVideos(model) ? videoOptions(request, { hasHighNoise }) : []),
      essential('--batch-count', String(request.images ?? 1)),
      essential('--seed', String(seed)),
      optional('--threads', String(threads)),
      ...rpcOptions(input.rpcServers),
      essential('--prompt', request.prompt),
      essential('--output', output)
    ],
    abilities
  );
  return { options, unsent: [...named.leftOut, ...unsent] };
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
