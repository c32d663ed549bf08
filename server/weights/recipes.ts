import type { GenerationDefaults } from '../../shared/manifest/generation-defaults';
import type { Role } from '../../shared/roles';
import type { Family, Variant } from './families';

/** How models of one kind are run, by the documentation of stable-diffusion.cpp. */
export interface Recipe {
  /** The name that people know. */
  readonly name: string;
  readonly family: Family;
  /** Whether a model is of this kind; absent: its weights look like those of another kind. */
  readonly fits?: (variant: Variant | undefined, roles: ReadonlySet<Role>) => boolean;
  readonly defaults: GenerationDefaults;
}

const CLASSIC = { steps: 20, cfg_scale: 7, sampling_method: 'euler_a' };
const GUIDED = { cfg_scale: 1, sampling_method: 'euler' };
const QWEN = { cfg_scale: 2.5, sampling_method: 'euler', flow_shift: 3 };
const WAN = { width: 832, height: 480, sampling_method: 'euler', flow_shift: 3, video_frames: 33 };
const SQUARE = { width: 1024, height: 1024 };

/** The values that are usual for kinds of models, each with the names of those that have it. */
export function usualValues(field: string): ReadonlyMap<string | number, readonly string[]> {
  const values = new Map<string | number, string[]>();
  for (const { name, defaults } of RECIPES) {
    const value = defaults[field];
    if (typeof value !== 'string' && typeof value !== 'number') continue;
    values.set(value, [...(values.get(value) ?? []), name]);
  }
  return values;
}

/** The more usual kind of a family before those that look the same. */
const RECIPES: readonly Recipe[] = [
  {
    name: 'Stable Diffusion 1',
    family: 'sd1',
    fits: always,
    defaults: { width: 512, height: 512, ...CLASSIC }
  },
  { name: 'Stable Diffusion 2', family: 'sd2', fits: always, defaults: CLASSIC },
  { name: 'Stable Diffusion XL', family: 'sdxl', fits: always, defaults: { ...SQUARE, ...CLASSIC } },
  {
    name: 'Stable Diffusion 3.5',
    family: 'sd3',
    fits: always,
    defaults: { ...SQUARE, cfg_scale: 4.5, sampling_method: 'euler' }
  },
  {
    name: 'Flux schnell',
    family: 'flux',
    fits: (variant) => variant === 'schnell',
    defaults: { steps: 4, ...GUIDED }
  },
  { name: 'Flux dev and Kontext', family: 'flux', fits: always, defaults: GUIDED },
  {
    name: 'Flux.2 klein',
    family: 'flux2',
    fits: (variant) => variant === 'klein',
    defaults: { steps: 4, ...GUIDED }
  },
  { name: 'Flux.2 dev', family: 'flux2', fits: always, defaults: GUIDED },
  { name: 'Flux.2 klein base', family: 'flux2', defaults: { steps: 20, cfg_scale: 4, sampling_method: 'euler' } },
  {
    name: 'Chroma',
    family: 'chroma',
    fits: always,
    defaults: { cfg_scale: 4, sampling_method: 'euler', model_args: 'chroma_use_dit_mask=false' }
  },
  { name: 'Qwen-Image', family: 'qwen-image', fits: always, defaults: { ...SQUARE, ...QWEN } },
  {
    name: 'Qwen-Image Edit 2511',
    family: 'qwen-image',
    defaults: { ...QWEN, model_args: 'qwen_image_zero_cond_t=true' }
  },
  { name: 'Z-Image Turbo', family: 'z-image', fits: always, defaults: { steps: 8, cfg_scale: 1 } },
  { name: 'Z-Image base', family: 'z-image', defaults: { steps: 20, cfg_scale: 5 } },
  {
    name: 'Wan 2.2 with a high-noise model',
    family: 'wan',
    fits: (_, roles) => roles.has('high_noise_diffusion_model'),
    defaults: { ...WAN, steps: 10, cfg_scale: 3.5, high_noise_steps: 8, high_noise_cfg_scale: 3.5 }
  },
  { name: 'Wan', family: 'wan', fits: always, defaults: { ...WAN, cfg_scale: 6 } }
];

function always(): boolean {
  return true;
}

/** How a model is run when nobody says otherwise; undefined for families that nothing is known of. */
export function recipeOf(
  family: Family | undefined,
  variant: Variant | undefined,
  roles: ReadonlySet<Role>
): Recipe | undefined {
  return RECIPES.find((recipe) => recipe.family === family && recipe.fits?.(variant, roles));
}
