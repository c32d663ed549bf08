import { Failure } from '../../../shared/failure';
import type { GenerationRequest } from '../../../shared/generation';
import type { GenerationDefaults } from '../../../shared/manifest/generation-defaults';
import { type EngineOption, optional } from './engine-option';
import type { GenerationMode } from './mode';
import { checkText } from './prompt';

/** Settings that a request may give and a manifest may give a default for, and their options. */
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
  ['flow_shift', '--flow-shift']
] as const;

const SWITCHES = [
  ['vae_tiling', '--vae-tiling'],
  ['offload_to_cpu', '--offload-to-cpu'],
  ['flash_attention', '--diffusion-fa']
] as const;

/**
 * The options for the values of a run: those of the request win over the manifest's defaults.
 * @throws Failure 'bad-request' that names a text which cannot be passed on
 */
export function settingOptions(request: GenerationRequest, defaults: GenerationDefaults): EngineOption[] {
  const settings = SETTING_OPTIONS.flatMap(([name, option]) => {
    const value = request[name] ?? defaults[name];
    if (value === undefined) return [];
    checkText(name, String(value));
    return [optional(option, String(value))];
  });
  const switches = SWITCHES.flatMap(([name, option]) => (request[name] === true ? [optional(option)] : []));
  return [...settings, ...switches, ...hiresOptions(request)];
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

/** Fields that mean nothing without another one. */
const NEEDED_BESIDE = [
  ['strength', 'init_image'],
  ['mask', 'init_image'],
  ['control_strength', 'control_image']
] as const;

/** @throws Failure('bad-request') when a request gives one field without another that it needs, or two that exclude each other */
export function checkCombination(request: GenerationRequest, mode: GenerationMode): void {
  for (const [field, needed] of NEEDED_BESIDE) {
    if (request[field] === undefined || request[needed] !== undefined) continue;
    throw new Failure('bad-request', `${field}: has no meaning without ${needed}.`, {
      subject: field,
      nextStep: `Give ${needed} as well, or leave ${field} out.`
    });
  }
  if (mode === 'edit' && request.init_image !== undefined) {
    throw new Failure('bad-request', 'init_image: cannot be used together with references.', {
      subject: 'init_image',
      nextStep: 'Give the image as one of the references, or leave the references out.'
    });
  }
}
