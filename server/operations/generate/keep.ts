import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Failure } from '../../../shared/failure';
import type { GeneratedImage, GenerationRequest } from '../../../shared/generation';
import type { InputImages } from '../../engine/arguments/engine-arguments';
import { modeOf } from '../../engine/arguments/mode';
import type { EngineImage } from '../../engine/result-check';
import type { ImageDescription, ImageInput } from '../../gallery/sidecar';
import type { Services } from '../services';
import type { OwnLora } from './asked-loras';
import type { InputNames, RunResult } from './generate-options';
import type { RunParts } from './prepare';

/** What images were made of. */
export interface KeptParts extends Pick<RunParts, 'model' | 'request'> {
  /** The engine that made them. */
  readonly engine: ImageDescription['engine'];
  /** What lists show; absent: the prompt. */
  readonly label?: string;
  /** Absent: what the request asks for. */
  readonly mode?: string;
  readonly ownLoras?: readonly OwnLora[];
}

/** The mode of images that were not generated but enlarged. */
export const UPSCALE = 'upscale';

/** A run that is over. */
interface FinishedRun extends Pick<RunResult, 'images' | 'inputs'> {
  readonly milliseconds: number;
  readonly inputNames?: InputNames | undefined;
}

/** What came into the gallery. */
export interface KeptImages {
  /** At least one. */
  readonly images: readonly GeneratedImage[];
  /** What is to be said of those that did not. */
  readonly warnings: readonly string[];
}

/**
 * Puts the images of a run into the gallery, each with all that it takes to make it again. The images that the engine
 * was given are kept before, as it got them. One that cannot be kept is no reason to lose the others.
 * @throws Failure when none can be kept
 */
export async function keepImages(
  services: Services,
  parts: KeptParts,
  { images, inputs, milliseconds, inputNames }: FinishedRun
): Promise<KeptImages> {
  const { images: gallery, clock } = services;
  const description = { ...describeRun(parts), milliseconds, created_at_unix_ms: clock.now() };
  const kept = await keepInputs(services, parts.request, inputs, inputNames);
  const put = async ({ path, width, height, seed, video }: EngineImage): Promise<GeneratedImage> => {
    const request = { ...description.request, seed };
    const about = { ...description, width, height, request, seed, ...video, ...(kept.length > 0 && { inputs: kept }) };
    const stored = await gallery.put({ path }, about);
    const { byte_length: bytes, frames } = stored.sidecar;
    return { id: stored.id, path: stored.path, width, height, bytes, seed, ...(frames !== undefined && { frames }) };
  };
  const [stored, lost]: [GeneratedImage[], Failure[]] = [[], []];
  // One after the other, each gone from the scratch folder when the next is written: the disk may be nearly full.
  for (const image of images) {
    try {
      stored.push(await put(image));
      await rm(image.path, { force: true }).catch(() => undefined);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      lost.push(error);
    }
  }
  const [first] = lost;
  if (first && stored.length === 0) throw first;
  return { images: stored, warnings: first ? [lostWarning(lost.length, images.length, first)] : [] };
}

function lostWarning(lost: number, all: number, { message, nextStep = '' }: Failure): string {
  return `${lost} of ${all} images were made and could not be kept. ${message} ${nextStep}`.trim();
}

function describeRun({
  model: { name, manifest },
  request,
  engine,
  label = request.prompt,
  mode = modeOf(request),
  ownLoras = []
}: KeptParts): Pick<ImageDescription, 'label' | 'request' | 'model' | 'engine' | 'mode' | 'loras'> {
  const { init_image: _image, mask: _mask, references: _references, control_image: _control, ...settings } = request;
  return {
    label,
    request: settings,
    model: {
      name,
      digests: Object.fromEntries(manifest.files.map(({ path, sha256 }) => [path, sha256])),
      roles: Object.fromEntries(manifest.files.flatMap(({ path, role }) => (role ? [[path, role]] : [])))
    },
    engine,
    mode,
    ...(ownLoras.length > 0 && { loras: [...ownLoras] })
  };
}

/** The names are those of the request, the bytes those that the engine got. */
async function keepInputs(
  { imageInputs }: Services,
  { init_image, mask, references = [], control_image }: GenerationRequest,
  inputs: InputImages,
  names: InputNames = new Map()
): Promise<ImageInput[]> {
  const given: readonly (readonly [ImageInput['field'], string | undefined, string | undefined])[] = [
    ['init_image', init_image, inputs.initImage],
    ['mask', mask, inputs.mask],
    ...references.map((path, index) => ['references', path, inputs.references?.[index]] as const),
    ['control_image', control_image, inputs.controlImage]
  ];
  const kept: ImageInput[] = [];
  for (const [field, original, path] of given) {
    if (original === undefined || path === undefined) continue;
    kept.push({ field, digest: await imageInputs.keep(path), name: names.get(original) ?? basename(original) });
  }
  return kept;
}
