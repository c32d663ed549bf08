import { Failure } from '../../../shared/failure';
import { type GenerationRequest, NEEDED_BESIDE } from '../../../shared/generation';
import { type EngineOption, essential, type KnownOptions, knowsOption, optional } from './engine-option';
import { checkText } from './prompt';

/** Values of a request and their options. */
const SETTING_OPTIONS = [
  ['width', '--width'],
  ['height', '--height'],
  ['steps', '--steps'],
  ['cfg_scale', '--cfg-scale'],
  ['guidance', '--guidance'],
  ['sampling_method', '--sampling-method'],
  ['scheduler', '--scheduler'],
  ['negative_prompt', '--negative-prompt'],
  ['clip_skip', '--clip-skip'],
  ['flow_shift', '--flow-shift'],
  ['model_args', '--model-args']
] as const;

const SWITCHES = [
  ['vae_tiling', '--vae-tiling'],
  ['offload_to_cpu', '--offload-to-cpu'],
  ['flash_attention', '--diffusion-fa']
] as const;

/** Values that only a model for the noisy steps has. */
const HIGH_NOISE_OPTIONS = [
  ['high_noise_steps', '--high-noise-steps'],
  ['high_noise_cfg_scale', '--high-noise-cfg-scale'],
  ['sampling_method', '--high-noise-sampling-method']
] as const;

const FRAME_OPTIONS = [
  ['video_frames', '--video-frames'],
  ['fps', '--fps']
] as const;

type Setting = (typeof SETTING_OPTIONS | typeof HIGH_NOISE_OPTIONS | typeof FRAME_OPTIONS)[number];

/**
 * The options for the values of a request.
 * @throws Failure 'bad-request' that names a value which cannot be passed on
 */
export function settingOptions(request: GenerationRequest, abilities: KnownOptions): EngineOption[] {
  checkChoice('sampling method', 'sampling_method', request.sampling_method, abilities.samplingMethods);
  checkChoice('scheduler', 'scheduler', request.scheduler, abilities.schedulers);
  return [
    ...valuesOf(SETTING_OPTIONS, request),
    ...switchesOf(request),
    ...hiresOptions(request),
    // Somebody who wants to keep a prompt to themselves must not find it in the file after all.
    ...(request.omit_metadata === true ? [essential('--disable-image-metadata')] : [])
  ];
}

/** Names of the values of a request that a build has an option for. */
export function knownSettings(abilities: KnownOptions): readonly string[] {
  const settings = [...SETTING_OPTIONS, ...SWITCHES, ['hires', '--hires']] as const;
  return settings.flatMap(([name, option]) => (knowsOption(abilities, option) ? [name] : []));
}

/** The options of videos, and of the second model that some of them have. */
export function videoOptions(request: GenerationRequest, { hasHighNoise }: { hasHighNoise: boolean }): EngineOption[] {
  return [...(hasHighNoise ? valuesOf(HIGH_NOISE_OPTIONS, request) : []), ...valuesOf(FRAME_OPTIONS, request)];
}

function valuesOf(settings: readonly Setting[], request: GenerationRequest): EngineOption[] {
  return settings.flatMap(([name, option]) => {
    const value = request[name];
    if (value === undefined) return [];
    checkText(name, String(value));
    return [optional(option, String(value))];
  });
}

function switchesOf(request: GenerationRequest): EngineOption[] {
  return SWITCHES.flatMap(([name, option]) => (request[name] === true ? [optional(option)] : []));
}

function hiresOptions({ hires }: GenerationRequest): EngineOption[] {
  if (!hires) return [];
  const { scale, strength, steps } = hires;
  return [
    optional('--hires'),
    optional('--hires-scale', String(scale)),
    ...(strength === undefined ? [] : [optional('--hires-denoising-strength', String(strength))]),
    ...(steps === undefined ? [] : [optional('--hires-steps', String(steps))])
  ];
}

/** @param known empty when the build's help could not be understood */
function checkChoice(what: string, field: string, value: string | undefined, known: ReadonlySet<string>): void {
  if (value === undefined || known.size === 0 || known.has(value)) return;
  throw new Failure('bad-request', `This sd-cli does not know the ${what} "${value}".`, {
    subject: field,
    nextStep: `It knows: ${[...known].join(', ')}.`
  });
}

/**
 * @throws Failure('bad-request') when a request gives a field without another that it needs, or two that exclude each
 * other
 */
export function checkCombination(request: GenerationRequest): void {
  for (const [field, needed] of NEEDED_BESIDE) {
    if (request[field] === undefined || request[needed] !== undefined) continue;
    throw new Failure('bad-request', `${field}: has no meaning without ${needed}.`, {
      subject: field,
      nextStep: `Give ${needed} as well, or leave ${field} out.`
    });
  }
  if ((request.images ?? 1) > 1 && (request.video_frames ?? 1) > 1) {
    throw new Failure('bad-request', 'images: videos are made one at a time.', {
      subject: 'images',
      nextStep: 'Leave it out, or ask for images with video_frames 1.'
    });
  }
  if (request.references !== undefined && request.init_image !== undefined) {
    throw new Failure('bad-request', 'init_image: cannot be used together with references.', {
      subject: 'init_image',
      nextStep: 'Give the image as one of the references, or leave the references out.'
    });
  }
}
