import { Failure } from '../../../shared/failure';
import type { GenerationRequest, ModelInputs } from '../../../shared/generation';
import type { Role } from '../../../shared/roles';
import type { Family } from '../../weights/families';
import { familyValues } from '../../weights/family-values';
import { missingRoles } from '../../weights/role-check';
import type { GenerationMode } from './mode';
import type { ModelIdentity } from './model-identity';

/** What sd-cli does with models of a family, by its documentation. */
interface FamilyRules {
  /** Modes besides text to image, image to image and inpaint, which all families have that make images. */
  readonly edits?: true;
  /** `model`: the text encoders are recognised only in a file of that role. */
  readonly encodersIn?: 'model';
  /** Roles of its own, besides those that every family may have. */
  readonly takes: readonly Role[];
}

const UNET: FamilyRules = { encodersIn: 'model', takes: ['control_net'] };

/** Families that are not here are run with whatever files the manifest names. */
const RULES: Readonly<Partial<Record<Family, FamilyRules>>> = {
  sd1: UNET,
  sd2: UNET,
  sdxl: UNET,
  sd3: { takes: ['clip_l', 'clip_g', 't5xxl'] },
  flux: { edits: true, takes: ['clip_l', 't5xxl'] },
  flux2: { edits: true, takes: ['llm'] },
  chroma: { takes: ['t5xxl'] },
  'qwen-image': { edits: true, takes: ['llm', 'llm_vision'] },
  'z-image': { takes: ['llm'] },
  wan: { takes: ['high_noise_diffusion_model', 't5xxl', 'clip_vision'] }
};

const TAKEN_BY_ALL: ReadonlySet<Role> = new Set(['model', 'diffusion_model', 'vae', 'taesd', 'lora', 'embedding']);

/** Whether runs with a model are runs of sd-cli's video mode, even for a single image. */
export function makesVideos({ family }: ModelIdentity): boolean {
  return familyValues(family)?.makes === 'videos';
}

/** Whether the family of a model takes files of a role; true when nothing is known of the family. */
export function takesRole({ family }: ModelIdentity, role: Role): boolean {
  const rules = rulesOf(family);
  return rules === undefined || TAKEN_BY_ALL.has(role) || rules.takes.includes(role);
}

/** Which images runs with a model take beside the one to start from; of families without rules only what its files tell. */
export function takenInputs({ family, variant, present }: ModelIdentity): ModelInputs {
  const needsVision = family === 'qwen-image' && !present.has('llm_vision');
  return {
    references: rulesOf(family)?.edits === true && variant !== 'schnell' && !needsVision,
    controlImage: present.has('control_net') || variant === 'control'
  };
}

/**
 * Makes sure that a model can do what is asked for.
 * @throws Failure('bad-request') that names the missing role, or the field that asks for what the family cannot do
 */
export function checkFamily(model: ModelIdentity, mode: GenerationMode, request: GenerationRequest): void {
  const [missing] = missingFor(model, mode, request);
  if (missing !== undefined) throw lacks(model, missing);
  const rules = rulesOf(model.family);
  if (!rules) return;
  if (mode === 'edit' && (!rules.edits || model.variant === 'schnell')) {
    throw new Failure('bad-request', `${model.name} does not work with reference images.`, {
      subject: 'references',
      nextStep: 'Take a model of Flux Kontext, Flux.2 or Qwen-Image Edit, or start from the image with init_image.'
    });
  }
  if (mode === 'video' && !makesVideos(model)) {
    throw new Failure('bad-request', `${model.name} makes no videos.`, {
      subject: 'video_frames',
      nextStep: 'Leave video_frames out, or take a model of Wan.'
    });
  }
  if (model.variant === 'image-to-video' && request.init_image === undefined) {
    throw new Failure('bad-request', 'This model needs an image to start from.', {
      subject: 'init_image',
      nextStep: 'Give init_image.'
    });
  }
}

function rulesOf(family: Family | undefined): FamilyRules | undefined {
  return family && RULES[family];
}

/** Roles that no file has and that a run needs, the most telling first. */
function missingFor(model: ModelIdentity, mode: GenerationMode, request: GenerationRequest): Role[] {
  const { family, variant, roles, present } = model;
  const missing = family ? [...missingRoles(family, present)] : [];
  if (rulesOf(family)?.encodersIn === 'model' && !roles.has('model')) missing.push('model');
  if (family === 'qwen-image' && mode === 'edit' && !present.has('llm_vision')) missing.push('llm_vision');
  // Of two models, the one for the noisy steps takes its place.
  const needsClipVision = family === 'wan' && variant === 'image-to-video' && !roles.has('high_noise_diffusion_model');
  if (needsClipVision && !present.has('clip_vision')) missing.push('clip_vision');
  if (request.control_image !== undefined && !present.has('control_net') && variant !== 'control') {
    missing.push('control_net');
  }
  return missing;
}

function lacks({ name, family }: ModelIdentity, role: Role): Failure {
  const reason = role === 'model' ? ' sd-cli recognises its text encoders only in such a file.' : '';
  const who = family ? `${name} needs` : 'This run needs';
  return new Failure('bad-request', `${who} a file with the role "${role}", and the model has none.${reason}`, {
    subject: role,
    nextStep: 'Add the file to the manifest, then pull the model.'
  });
}
