import type { Role } from '../../shared/roles';
import { COMPONENT_NAMES, type Component } from './components';
import type { WeightsDescription } from './describe';
import type { Family } from './families';

/** What a file with a role holds. Roles whose files are not recognised are left out. */
const COMPONENT_OF_ROLE: ReadonlyMap<Role, Component> = new Map([
  ['diffusion_model', 'diffusion_model'],
  ['high_noise_diffusion_model', 'diffusion_model'],
  ['vae', 'vae'],
  ['taesd', 'taesd'],
  ['clip_l', 'clip_l'],
  ['clip_g', 'clip_g'],
  ['clip_vision', 'clip_vision'],
  ['t5xxl', 't5xxl'],
  ['llm', 'llm'],
  ['llm_vision', 'llm_vision'],
  ['control_net', 'control_net'],
  ['upscale_model', 'upscale_model'],
  ['lora', 'lora'],
  ['embedding', 'embedding'],
  ['motion_module', 'motion_module']
]);

/** Below this share of its bytes, what was recognised of a file does not say what the file is. */
const PLAIN_SHARE = 0.9;

/**
 * Why a file plainly cannot be what its role says; undefined when it may be, and when nobody knows.
 * @returns a sentence that says what to do
 */
export function roleContradiction(role: Role, description: WeightsDescription): string | undefined {
  const { component, parts, bytes } = description;
  const recognised = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (component === undefined || recognised < bytes * PLAIN_SHARE) return undefined;
  if (role === 'model') return asCheckpoint(component, description);
  const expected = COMPONENT_OF_ROLE.get(role);
  if (expected === undefined || parts.some((part) => part.component === expected)) return undefined;
  return `${holds(component)}, and no ${COMPONENT_NAMES[expected]}; ${remedy(component)}`;
}

/** The engine takes as a checkpoint whatever has the names of one, if it is only a part. */
function asCheckpoint(component: Component | 'model', { parts }: WeightsDescription): string | undefined {
  if (component === 'model' || parts.some(({ isPrefixed }) => isPrefixed)) return undefined;
  const alone = component === 'diffusion_model' ? ' alone, which the engine does not recognise as a whole model' : '';
  return `${holds(component)}${alone}; ${remedy(component)}`;
}

function holds(component: Component | 'model'): string {
  const name = component === 'model' ? 'whole checkpoint' : COMPONENT_NAMES[component];
  return `The installed file is ${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name}`;
}

/** The role that a file plainly has; undefined when no role is for what it holds, and when nobody knows. */
export function fittingRole({ component }: WeightsDescription): Role | undefined {
  return component === undefined ? undefined : roleFor(component);
}

function remedy(component: Component | 'model'): string {
  const role = roleFor(component);
  return role === undefined ? 'list another file.' : `give it the role “${role}”, or list another file.`;
}

function roleFor(component: Component | 'model'): Role | undefined {
  if (component === 'model') return component;
  return [...COMPONENT_OF_ROLE].find(([, holder]) => holder === component)?.[0];
}

/** Either of these roles serves. */
type Need = readonly Role[];

const VAE: Need = ['vae', 'taesd'];

/**
 * What the engine needs beside a diffusion model of a family, by its own documentation. Families that run without
 * some of their encoders are left out.
 */
const NEEDS: Readonly<Partial<Record<Family, readonly Need[]>>> = {
  flux: [VAE, ['clip_l'], ['t5xxl']],
  flux2: [VAE, ['llm']],
  chroma: [VAE, ['t5xxl']],
  'qwen-image': [VAE, ['llm']],
  'z-image': [VAE, ['llm']],
  wan: [VAE, ['t5xxl']]
};

/** The roles that a diffusion model of a family needs and that neither a file nor a part of one has. */
export function missingRoles(family: Family, present: ReadonlySet<string>): readonly Role[] {
  const needs = NEEDS[family] ?? [];
  return needs.flatMap((need) => (need.some((role) => present.has(role)) ? [] : need.slice(0, 1)));
}
