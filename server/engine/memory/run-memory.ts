import type { GenerationDefaults } from '../../../shared/manifest/generation-defaults';
import type { Role } from '../../../shared/roles';
import { COMPONENT_NAMES, type Component } from '../../weights/components';
import type { WeightsDescription } from '../../weights/describe';
import type { Family } from '../../weights/families';
import { decoderBuffer, diffusionBuffer, type RunShape } from './compute-buffers';

/** A file of a model, and what its header says. */
export interface WeighedFile {
  readonly role: Role;
  readonly weights?: WeightsDescription;
}

/** Something that takes memory during a run. */
export interface MemoryShare {
  /** As people call it. */
  readonly what: string;
  readonly bytes: number;
}

/** What a run takes of memory. Weights are counted; buffers are estimated from the architecture of the family. */
export interface RunMemory {
  /** Size of the images, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Weights by component: the engine keeps all of them until it ends. */
  readonly weights: readonly MemoryShare[];
  /** What computing takes; one after the other, so that the largest counts. */
  readonly buffers: readonly MemoryShare[];
  /** Weights and the largest buffer, in bytes. */
  readonly peakBytes: number;
}

/** What of a request decides about memory. */
export interface MemoryRequest extends Pick<GenerationDefaults, 'width' | 'height'> {
  readonly video_frames?: number | undefined;
  readonly vae_tiling?: boolean | undefined;
  readonly flash_attention?: boolean | undefined;
  readonly hires?: { readonly scale: number } | undefined;
  readonly control_image?: string | undefined;
}

/** Roles that are not loaded unless something asks for them; a LoRA is small, and goes into the weights. */
const ON_DEMAND: ReadonlySet<Role> = new Set([
  'lora',
  'embedding',
  'upscale_model',
  'motion_module',
  'photo_maker',
  'ip_adapter',
  'control_net'
]);

/** Sides of images of families that were made for small ones. */
const SMALL_SIDE = 512;
const USUAL_SIDE = 1024;
const SMALL_FAMILIES: ReadonlySet<Family> = new Set(['sd1', 'sd2']);

/** Sides are rounded up to multiples of this. */
const SIDE_STEP = 64;

/** What a run would take; undefined when a file's header says nothing. */
export function estimateRun(files: readonly WeighedFile[], request: MemoryRequest): RunMemory | undefined {
  const loaded = files.filter(({ role }) => !ON_DEMAND.has(role) || (role === 'control_net' && request.control_image));
  if (loaded.length === 0 || loaded.some(({ weights }) => (weights?.memoryBytes ?? 0) === 0)) return undefined;
  const family = loaded.map(({ weights }) => weights?.family).find((known) => known !== undefined);
  const shape = shapeOf(loaded, family, request);
  const weights = loaded.flatMap((file) => sharesOf(file, loaded));
  const diffusion = family && diffusionBuffer(family, shape);
  const buffers = [
    ...(diffusion === undefined ? [] : [{ what: COMPONENT_NAMES.diffusion_model, bytes: diffusion }]),
    { what: 'decoder of the image', bytes: decoderBuffer(family, shape) }
  ];
  const peakBytes = sum(weights) + Math.max(...buffers.map(({ bytes }) => bytes));
  return { width: shape.width, height: shape.height, weights, buffers, peakBytes };
}

function shapeOf(files: readonly WeighedFile[], family: Family | undefined, request: MemoryRequest): RunShape {
  const usual = family && SMALL_FAMILIES.has(family) ? SMALL_SIDE : USUAL_SIDE;
  const scale = request.hires?.scale ?? 1;
  const aligned = (side: number): number => Math.ceil((side * scale) / SIDE_STEP) * SIDE_STEP;
  return {
    width: aligned(request.width ?? usual),
    height: aligned(request.height ?? usual),
    frames: request.video_frames ?? 1,
    flashAttention: request.flash_attention ?? false,
    vaeTiling: request.vae_tiling ?? false,
    hasTinyDecoder: files.some(({ role }) => role === 'taesd')
  };
}

/** Parts of a checkpoint that files of their own take the place of. */
const REPLACED_BY: Readonly<Partial<Record<Component, readonly Role[]>>> = { vae: ['vae', 'taesd'] };

function sharesOf({ role, weights }: WeighedFile, files: readonly WeighedFile[]): MemoryShare[] {
  if (!weights) return [];
  const isReplaced = (component: Component): boolean =>
    role === 'model' && files.some((file) => REPLACED_BY[component]?.includes(file.role));
  const shares = weights.parts
    .filter(({ component }) => !isReplaced(component))
    .map(({ component, memoryBytes }) => ({ what: COMPONENT_NAMES[component], bytes: memoryBytes }));
  return weights.parts.length > 0 ? shares : [{ what: role.replaceAll('_', ' '), bytes: weights.memoryBytes }];
}

/** All of them together, in bytes. */
export function sum(shares: readonly MemoryShare[]): number {
  return shares.reduce((total, { bytes }) => total + bytes, 0);
}
