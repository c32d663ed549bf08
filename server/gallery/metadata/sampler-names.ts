import { SAMPLING_METHODS, SCHEDULERS } from '../../../shared/sampling';

type Sampler = (typeof SAMPLING_METHODS)[number];
type Scheduler = (typeof SCHEDULERS)[number];

/**
 * Samplers of A1111 and ComfyUI that sd-cli has too, in lower case. Names on the left: `samplers_k_diffusion` in
 * modules/sd_samplers_kdiffusion.py of stable-diffusion-webui, `KSAMPLER_NAMES` in comfy/samplers.py of ComfyUI.
 * The meeting points: `get_sdapi_sample_method` in examples/server/routes_sdapi.cpp of stable-diffusion.cpp, and the
 * methods themselves where that table has none: 2M SDE draws from a Brownian tree in both programs, sd-cli's `_bt`;
 * gradient estimation is `euler_ge`; ComfyUI's `ddim` is its Euler (`sampler_object`), A1111's is a method of its own.
 */
const SAMPLERS: Readonly<Record<string, Sampler>> = {
  'euler a': 'euler_a',
  dpm2: 'dpm2',
  'dpm++ 2s a': 'dpm++2s_a',
  'dpm++ 2m': 'dpm++2m',
  'dpm++ 2m sde': 'dpm++2m_sde_bt',
  'res multistep': 'res_multistep',
  'er sde': 'er_sde',
  'euler cfg++': 'euler_cfg_pp',
  'euler a cfg++': 'euler_a_cfg_pp',
  euler_ancestral: 'euler_a',
  euler_ancestral_cfg_pp: 'euler_a_cfg_pp',
  dpm_2: 'dpm2',
  dpmpp_2s_ancestral: 'dpm++2s_a',
  dpmpp_2m: 'dpm++2m',
  dpmpp_2m_sde: 'dpm++2m_sde_bt',
  dpmpp_2m_sde_gpu: 'dpm++2m_sde_bt',
  gradient_estimation: 'euler_ge'
};

/**
 * Schedules likewise. Names on the left: `schedulers` in modules/sd_schedulers.py, `SCHEDULER_HANDLERS` in
 * comfy/samplers.py; both "uniform" and "normal" take equal steps of time, as sd-cli's `discrete` does.
 */
const SCHEDULES: Readonly<Record<string, Scheduler>> = {
  uniform: 'discrete',
  normal: 'discrete',
  'sgm uniform': 'sgm_uniform',
  'kl optimal': 'kl_optimal',
  'align your steps': 'ays',
  align_your_steps: 'ays',
  'align your steps gits': 'gits'
};

/** The programs whose names are read. */
export type Namer = 'A1111' | 'ComfyUI';

/** sd-cli's name for another program's sampler; undefined when it has none. */
export function samplerNamed(name: string, by: Namer): Sampler | undefined {
  const key = name.trim().toLowerCase();
  if (key === 'ddim') return by === 'ComfyUI' ? 'euler' : 'ddim_trailing';
  return entryOf(SAMPLERS, key) ?? SAMPLING_METHODS.find((own) => own === key);
}

/** sd-cli's name for another program's noise schedule; undefined when it has none. */
export function schedulerNamed(name: string): Scheduler | undefined {
  const key = name.trim().toLowerCase();
  return entryOf(SCHEDULES, key) ?? SCHEDULERS.find((own) => own === key);
}

function entryOf<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
