import { Failure } from '../../../shared/failure';
import type { GenerationRequest } from '../../../shared/generation';
import type { InstalledManifest } from '../../../shared/manifest/installed-manifest';
import { requestOption } from '../../../shared/request-option';
import type { EngineAbilities } from '../../engine/abilities';
import type { StoredImage } from '../../gallery/images';
import type { ImageInput, ImageSidecar, InputField } from '../../gallery/sidecar';
import { chosenDevice } from '../engine/devices';
import { engineInUse } from '../engine/engine-in-use';
import { findImage } from '../gallery/find-image';
import { findModel, type KnownModel } from '../models/known-models';
import type { Services } from '../services';
import { changedLoras } from './asked-loras';
import { readGenerationRequest, soundModel } from './check';
import type { InputNames } from './generate-options';
import { UPSCALE } from './keep';

/** What is to be made like an image. */
export interface RepetitionWish {
  /** The id of the image, or its beginning. */
  readonly image: string;
  /** The model to use instead of the one of then. */
  readonly model?: string | undefined;
  /** Values of the request that are to be others. */
  readonly changes: Readonly<Record<string, unknown>>;
  /** A folder of LoRAs instead of the one in the settings, an absolute path. */
  readonly loraFolder?: string | undefined;
  /** The name of a device in the settings, or `local`; absent: the one that the settings name. */
  readonly device?: string | undefined;
  readonly signal: AbortSignal;
}

/** A request that repeats an image. The manifest's defaults of today are no part of it. */
export interface Repetition {
  readonly image: StoredImage;
  readonly model: KnownModel;
  readonly request: GenerationRequest;
  readonly inputNames: InputNames;
  /** What is not as it was then and may change the result, one sentence each. */
  readonly differences: readonly string[];
}

/**
 * Prepares to make an image again: same model, settings, seed and input images.
 * @throws Failure of what cannot be done: the image, its description, its model, an input image or the engine is gone
 */
export async function repetitionOf(services: Services, wish: RepetitionWish): Promise<Repetition> {
  const image = await findImage(services, wish.image);
  const { sidecar } = image;
  const model = await findModel(services, wish.model ?? sidecar.model.name);
  const { manifest } = await soundModel(services, model);
  // What another machine has for an engine its images tell.
  const isHere = chosenDevice(services, wish.device) === undefined;
  const engine = isHere ? (await engineInUse(services, wish)).abilities : undefined;
  const { request, inputNames } = await requestOfThen(services, sidecar, wish.changes);
  return {
    image,
    model,
    request: readGenerationRequest({ ...request, ...wish.changes }),
    inputNames,
    differences: [
      ...differencesOf(sidecar, { name: model.name, files: manifest.files }, engine),
      ...(await changedLoras(services, sidecar.loras ?? [], wish))
    ]
  };
}

/**
 * What is not as it was then of the model and the engine, one sentence each.
 * @param engine undefined: nobody knows it yet
 */
export function differencesOf(
  then: ImageSidecar,
  { name, files }: Pick<InstalledManifest, 'name' | 'files'>,
  engine: Pick<EngineAbilities, 'version' | 'digest'> | undefined
): readonly string[] {
  const digests = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  const ofModel = modelDifferences(then.model, { name, digests });
  return engine ? [...ofModel, ...engineDifferences(then.engine, engine)] : ofModel;
}

/**
 * The request that made an image, with the input images where they are kept. One of a batch is made again alone: it
 * had a seed of its own.
 * @param changes values that are to be others; input images of theirs need not be kept
 * @throws Failure 'image-missing' when an input image is no longer kept, 'bad-request' for an image that was enlarged
 */
export async function requestOfThen(
  services: Services,
  { request, seed, mode, inputs = [] }: ImageSidecar,
  changes: RepetitionWish['changes']
): Promise<Pick<Repetition, 'request' | 'inputNames'>> {
  if (mode === UPSCALE) {
    throw new Failure('bad-request', 'The image was not generated but enlarged.', {
      nextStep: 'Enlarge an image with: diffusion-dock upscale IMAGE --model NAME.'
    });
  }
  const { images: _, ...settings } = request;
  const kept = inputs.filter(({ field }) => !(field in changes));
  return {
    request: { ...settings, seed, ...(await keptInputs(services, kept)) },
    inputNames: new Map(kept.map(({ digest, name }) => [services.imageInputs.pathOf(digest), name]))
  };
}

async function keptInputs(
  { imageInputs }: Services,
  inputs: readonly ImageInput[]
): Promise<Partial<GenerationRequest>> {
  const paths = new Map<InputField, string[]>();
  for (const { field, digest, name } of inputs) {
    if (!(await imageInputs.isIntact(digest))) {
      throw new Failure('image-missing', `The image ${name} that it was made from is no longer kept.`, {
        subject: digest,
        nextStep: `Give it again: --${requestOption(field)} FILE.`
      });
    }
    paths.set(field, [...(paths.get(field) ?? []), imageInputs.pathOf(digest)]);
  }
  const { init_image, mask, control_image } = Object.fromEntries([...paths].map(([field, [path]]) => [field, path]));
  const references = paths.get('references');
  return {
    ...(init_image !== undefined && { init_image }),
    ...(mask !== undefined && { mask }),
    ...(references && { references }),
    ...(control_image !== undefined && { control_image })
  };
}

function modelDifferences(
  then: ImageSidecar['model'],
  now: { readonly name: string; readonly digests: ReadonlyMap<string, string> }
): string[] {
  if (then.name !== now.name) return [`The model is ${now.name}; it was ${then.name}.`];
  const files = Object.entries(then.digests);
  const gone = files.filter(([file]) => !now.digests.has(file));
  const changed = files.filter(([file, digest]) => now.digests.has(file) && now.digests.get(file) !== digest);
  const added = [...now.digests.keys()].filter((file) => !Object.hasOwn(then.digests, file));
  return [
    ...changed.map(([file]) => `${file} of the model has another content than it had.`),
    ...gone.map(([file]) => `${file} is no longer a file of the model.`),
    ...added.map((file) => `${file} was not a file of the model.`)
  ];
}

function engineDifferences(then: ImageSidecar['engine'], now: { version: string; digest: string }): string[] {
  if (then.version !== now.version) return [`The engine is ${now.version}; it was ${then.version}.`];
  const isOther = then.digest !== undefined && then.digest !== now.digest;
  return isOther ? [`The engine is another program of the same version, ${now.version}.`] : [];
}
