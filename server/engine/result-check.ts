import { Failure } from '../../shared/failure';
import type { ExaminedImage, ImageLook } from '../gallery/png/png-look';
import type { RunGoal } from './explain';
import { badResult, sameSize } from './explain';
import type { ImageSize, RunRecord } from './run-record';

/** One image that the engine claims to have made, as it was found: examined, or why it cannot be used. */
export interface FoundImage {
  readonly path: string;
  readonly seed: number;
  readonly found: ExaminedImage | Failure;
}

/** One image that the engine made, checked, and still in the scratch folder. */
export interface EngineImage {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  /** Set when it is a video. */
  readonly video?: ExaminedImage['video'];
}

/** What a run gave. */
export interface EngineResult {
  readonly images: readonly EngineImage[];
  /** What the user should know although the images are there, one sentence each. */
  readonly warnings: readonly string[];
}

/** What a run was asked for and what the engine said about it. */
export interface RunFacts {
  readonly goal: RunGoal;
  readonly record: RunRecord;
  /** The size that was asked for, before the engine rounds it; absent: the engine's own, or that of an input. */
  readonly requested?: ImageSize | undefined;
}

/**
 * Tells what a run really gave: the images that can be used, and what is to be said about them.
 * @throws Failure 'engine-failed' when none can be used, or an image was not enlarged
 */
export function checkedResult(files: readonly FoundImage[], { goal, record, requested }: RunFacts): EngineResult {
  const images: EngineImage[] = [];
  const warnings = [...record.warnings];
  for (const [index, { path, seed, found }] of files.entries()) {
    if (found instanceof Failure) continue;
    const { width, height, look, video } = found;
    if (goal.kind === 'enlarged' && width <= goal.from.width && height <= goal.from.height) {
      throw sameSize(goal.from, record);
    }
    images.push({ path, width, height, seed, ...(video && { video }) });
    warnings.push(...sizeWarning({ width, height }, record, requested), ...lookWarning(look, index, files.length));
    warnings.push(...framesWarning(goal, video?.frames));
  }
  const [firstFailed] = files.flatMap(({ found }) => (found instanceof Failure ? [found] : []));
  if (firstFailed && images.length === 0) throw badResult(record, firstFailed);
  return { images, warnings: [...partialWarning(files, record), ...new Set(warnings)] };
}

/** Says which images of a batch are missing. */
function partialWarning(files: readonly FoundImage[], record: RunRecord): string[] {
  const missing = files.flatMap(({ found }, index) => (found instanceof Failure ? [index + 1] : []));
  if (missing.length === 0) return [];
  const which = `${missing.length === 1 ? 'image' : 'images'} ${missing.join(', ')}`;
  const why = missing.every((image) => record.unsaved.has(image - 1)) ? 'could not be written' : 'cannot be read';
  const saved = files.length - missing.length;
  return [`Only ${saved} of ${files.length} images were saved: ${which} ${why}. Check the free space.`];
}

/** Families round the number of frames, and the engine does not say so. */
function framesWarning(goal: RunGoal, frames: number | undefined): string[] {
  if (goal.kind !== 'video' || frames === undefined || frames === goal.frames) return [];
  return [`The video has ${frames} frames instead of ${goal.frames}.`];
}

/** Rounding is told by the engine itself; what is told here is a size that it told differently, or not at all. */
function sizeWarning(size: ImageSize, { size: told, warnings }: RunRecord, requested?: ImageSize): string[] {
  const expected = told ?? requested;
  if (!expected || (expected.width === size.width && expected.height === size.height)) return [];
  if (warnings.some((warning) => warning.startsWith('The size was rounded up'))) return [];
  return [`The image has ${text(size)} pixels instead of ${text(expected)}.`];
}

function text({ width, height }: ImageSize): string {
  return `${width} × ${height}`;
}

/** Images that nobody wants are kept all the same: somebody may have asked for just that. */
function lookWarning(look: ImageLook, index: number, images: number): string[] {
  const image = images === 1 ? 'The image' : `Image ${index + 1}`;
  switch (look.kind) {
    case 'plain':
      return [PLAIN[look.colour](image)];
    case 'noise':
      return [
        `${image} is nothing but noise. Try more steps or another sampling method; if that changes nothing, the files of the model may not belong together.`
      ];
    case 'picture':
    case 'unjudged':
      return [];
  }
}

const OVERFLOWN =
  'which is what a calculation leaves that went beyond the range of its numbers. Try another VAE file, other settings, or another device.';

const DAMAGED = 'which is what wrong or damaged weights give. Verify the model.';

const PLAIN: Readonly<Record<(ImageLook & { kind: 'plain' })['colour'], (image: string) => string>> = {
  black: (image) => `${image} is all black, ${OVERFLOWN}`,
  white: (image) => `${image} is all white, ${OVERFLOWN}`,
  grey: (image) => `${image} is all grey, ${DAMAGED}`,
  coloured: (image) => `${image} is all of one colour, ${DAMAGED}`
};
