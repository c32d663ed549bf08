import type { Family, RecognisedFamily } from './families';

/** What sd-cli makes of the values that runs with models of a family are given, by its help and its documentation. */
export interface FamilyValues {
  readonly makes: 'images' | 'videos';
  /** Sides of images are rounded up to multiples of so many pixels; absent: not known. */
  readonly sideMultiple?: number;
  /** Values that change nothing. */
  readonly ignores: readonly string[];
  /** Set where the guidance is distilled into the weights, so that they are run with a `cfg_scale` of 1. */
  readonly isGuidanceDistilled?: true;
}

const UNET: FamilyValues = { makes: 'images', sideMultiple: 64, ignores: ['guidance', 'flow_shift'] };
const IMAGES: FamilyValues = { makes: 'images', ignores: [] };

/** Of other families nothing is known. */
const FAMILY_VALUES: Readonly<Partial<Record<Family, FamilyValues>>> = {
  sd1: UNET,
  sd2: UNET,
  sdxl: UNET,
  sd3: IMAGES,
  flux: { ...IMAGES, isGuidanceDistilled: true },
  flux2: IMAGES,
  chroma: IMAGES,
  'qwen-image': IMAGES,
  'z-image': IMAGES,
  wan: { makes: 'videos', ignores: [] }
};

/** Only a video has frames. */
const OF_VIDEOS = ['fps', 'high_noise_steps', 'high_noise_cfg_scale'];

/** What is known of a family; undefined when that is nothing. */
export function familyValues(family: Family | undefined): FamilyValues | undefined {
  return family && FAMILY_VALUES[family];
}

/** Names of the values that change nothing for a model. */
export function ignoredValues({ family, variant }: RecognisedFamily): readonly string[] {
  const values = familyValues(family);
  if (!values) return [];
  // Schnell alone of its family has no input for guidance.
  const ofVariant = variant === 'schnell' ? ['guidance'] : [];
  return [...values.ignores, ...ofVariant, ...(values.makes === 'images' ? OF_VIDEOS : [])];
}
