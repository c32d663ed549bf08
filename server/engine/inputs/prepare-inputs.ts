import { basename, join } from 'node:path';
import { cancelled, Failure } from '../../../shared/failure';
import { visibleText } from '../../../shared/file-name';
import type { GenerationRequest } from '../../../shared/generation';
import type { WorkerPool } from '../../platform/workers/worker-pool';
import type { InputImages } from '../arguments/engine-arguments';
import type { ImageSize } from '../run-record';
import type { Scratch } from '../scratch';
import { TAKE_IMAGE_TASK, type TakeImageTask, type TakenImage } from './take-image';
import { turnedAdvice } from './turned-images';

/** The images of a request as the engine gets them. */
export interface PreparedInputs {
  /** Copies in the scratch folder. */
  readonly images: InputImages;
  /** What is to be said of them before the run, one sentence each. */
  readonly advice: readonly string[];
  /** What happens to them that the user may not expect, one sentence each. */
  readonly notices: readonly string[];
  /** The size that the images of the run get where the request does not say both sides; absent: the engine's own. */
  readonly size?: ImageSize;
}

export interface PrepareOptions {
  readonly pool: Pick<WorkerPool, 'start'>;
  /** The size that the images of the run will have, as far as request and manifest tell. */
  readonly size: { readonly width?: number | undefined; readonly height?: number | undefined };
  /** What images are called whose files have other names, by their path. */
  readonly names?: ReadonlyMap<string, string> | undefined;
  readonly signal: AbortSignal;
}

/** One image and its copy. */
interface Taken extends TakenImage {
  readonly original: string;
  /** As people know it. */
  readonly name: string;
}

type NamedImages = Pick<GenerationRequest, 'init_image' | 'mask' | 'references' | 'control_image'>;

/**
 * Checks the images that a request names and copies them into the scratch folder, under names that the engine reads
 * them by. What it cannot read is refused here, with what to do about it.
 * @throws Failure 'bad-image', 'bad-request', 'file-access', 'disk-full', 'cancelled'
 */
export async function prepareInputs(
  scratch: Scratch,
  { init_image, mask, references, control_image }: NamedImages,
  { pool, size, names, signal }: PrepareOptions
): Promise<PreparedInputs> {
  const take = async (copy: string, original: string): Promise<Taken> => {
    if (signal.aborted) throw cancelled('The generation');
    // To its end even when somebody cancels: nothing may write into the scratch folder once it is removed.
    const input = { path: original, target: join(scratch.folder, copy) };
    const taken = await pool.start<TakeImageTask>(TAKE_IMAGE_TASK, input).result;
    return { ...taken, original, name: visibleText(names?.get(original) ?? basename(original)) };
  };
  // One after the other, for each may take as much memory as is allowed.
  const init = init_image === undefined ? undefined : await take('init', init_image);
  const masking = mask === undefined ? undefined : await take('mask', mask);
  const control = control_image === undefined ? undefined : await take('control', control_image);
  const referenced: Taken[] = [];
  for (const [index, path] of (references ?? []).entries()) referenced.push(await take(`reference${index}`, path));
  if (init && masking) requireSameSize(init, masking);
  if (signal.aborted) throw cancelled('The generation');
  const sizing = init ?? referenced[0];
  return {
    ...(sizing && { size: { width: sizing.width, height: sizing.height } }),
    images: {
      ...(init && { initImage: init.path }),
      ...(masking && { mask: masking.path }),
      ...(references && { references: referenced.map(({ path }) => path) }),
      ...(control && { controlImage: control.path })
    },
    advice: turnedAdvice([init ?? [], masking ?? [], control ?? [], referenced].flat()),
    notices: [init, control].flatMap((image) => (image ? fittingNotice(image, size) : []))
  };
}

/** The engine would fit each of them to the run's size on its own, and the mask would lie elsewhere. */
function requireSameSize(image: Taken, mask: Taken): void {
  if (image.width === mask.width && image.height === mask.height) return;
  const [masks, images] = [mask, image].map(({ width, height }) => `${width} × ${height}`);
  // Somebody who paints a mask sees the image turned.
  const [nextStep = 'Make a mask of the same size as the image.'] = turnedAdvice([image, mask]);
  throw new Failure('bad-request', `The mask has ${masks} pixels, and its image ${images}.`, {
    subject: mask.original,
    nextStep
  });
}

/** The engine makes sizes multiples of this, upwards. */
const SIZE_STEP = 64;

const aligned = (length: number): number => Math.ceil(length / SIZE_STEP) * SIZE_STEP;

/** The engine cuts an image to the shape of the run from its middle, then resizes it. */
function fittingNotice({ name, width, height }: Taken, size: PrepareOptions['size']): string[] {
  if (size.width === undefined || size.height === undefined) return [];
  const [wide, high] = [aligned(size.width), aligned(size.height)];
  if (wide === width && high === height) return [];
  const shape = wide / high;
  const [left, right] = [width * high, height * wide];
  const cut = left > right ? [Math.floor(height * shape), height] : [width, Math.floor(width / shape)];
  const from = `${name} has ${width} × ${height} pixels`;
  if (left === right) return [`${from} and is resized to ${wide} × ${high}.`];
  return [`${from} and is cut to ${cut.join(' × ')}, then resized to ${wide} × ${high}.`];
}
