import { Failure, type Remedy } from '../../shared/failure';
import { type EngineEnd, endMeaning } from './ends';
import type { ImageSize, RunRecord } from './run-record';
import type { Sighting } from './symptoms';

/** What a run is to bring about: images, one image that is larger than another, a video, or any one file. */
export type RunGoal =
  | { readonly kind: 'images'; readonly count: number }
  | { readonly kind: 'enlarged'; readonly from: ImageSize }
  | { readonly kind: 'video'; readonly frames: number }
  | { readonly kind: 'file' };

/** How many images a goal is about. */
export function imagesOf(goal: RunGoal): number {
  switch (goal.kind) {
    case 'images':
      return goal.count;
    case 'enlarged':
    case 'video':
      return 1;
    case 'file':
      return 0;
  }
}

/** What a run with a goal is called. */
export function runName({ kind }: RunGoal): string {
  return { images: 'The generation', enlarged: 'The enlarging', video: 'The generation', file: 'The conversion' }[kind];
}

/** Signals that no program gives itself. */
const FROM_OUTSIDE: ReadonlySet<NodeJS.Signals> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP']);

/** What the engine says when it could not enlarge an image and writes it as it was. */
const NOT_ENLARGED = /^The model for enlarging could not be loaded/;

/**
 * Why a run that is over gave nothing of what was asked for. The exit code alone proves nothing: sd-cli ends with 0
 * after saving a part of a batch or without enlarging anything, and with a signal when it runs out of memory.
 * @returns undefined when the engine claims success, at least in part; its files are still to be checked
 */
export function runFailure(record: RunRecord, end: EngineEnd, goal: RunGoal): Failure | undefined {
  const [sighting] = record.sightings;
  if (end.code === 0) {
    if (goal.kind === 'enlarged' && record.warnings.some((warning) => NOT_ENLARGED.test(warning))) {
      const cause = sighting ?? { nextStep: 'Verify the model for enlarging.' };
      return engineFailed({ ...cause, sentence: notEnlarged(sighting) }, record);
    }
    const isSomethingSaved = (record.summary?.saved ?? 0) > 0;
    // Of a video the engine does not count what it saved; its file tells.
    return goal.kind === 'file' || goal.kind === 'video' || isSomethingSaved ? undefined : unsaved(record);
  }
  // What is seen in a run that ended well, a LoRA that is missing for example, did not keep it from saving; nor was it
  // what made another program end a run.
  const isOwnEnd = end.signal === null || !FROM_OUTSIDE.has(end.signal);
  if (sighting && isOwnEnd) return engineFailed(sighting, record);
  if (!isOwnEnd) return engineFailed(endMeaning(end, record.program), record);
  return record.summary || record.unsaved.size > 0
    ? unsaved(record)
    : engineFailed(endMeaning(end, record.program), record);
}

/** The failure of a run none of whose images can be used, though the engine claims to have saved them. */
export function badResult(record: RunRecord, cause: unknown): Failure {
  return new Failure('engine-failed', 'sd-cli wrote an image that is missing or damaged; the disk may be full.', {
    nextStep: 'Free some space, then try again.',
    cause: new Error(transcript(record), { cause })
  });
}

/** The failure of an image that was to become larger and did not. */
export function sameSize({ width, height }: ImageSize, record: RunRecord): Failure {
  const sentence = `The image was not enlarged: it still has ${width} × ${height} pixels.`;
  return engineFailed({ sentence, nextStep: 'Choose a model that enlarges images.' }, record);
}

/** The failure of a run that took longer than the user allows. */
export function timedOut(minutes: number, settingKey: string, { kind }: RunGoal, record: RunRecord): Failure {
  const less = kind === 'images' || kind === 'video' ? ', or ask for a smaller image or fewer steps' : '';
  const sentence = `sd-cli was ended because it took longer than ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`;
  return new Failure('engine-failed', sentence, {
    nextStep: `Raise the limit (${settingKey})${less}.`,
    remedy: { kind: 'setting', key: settingKey },
    cause: new Error(transcript(record))
  });
}

function unsaved(record: RunRecord): Failure {
  const sentence = 'sd-cli ended without saving an image.';
  return engineFailed({ sentence, nextStep: 'Check the free space and the permissions of the cache folder.' }, record);
}

function notEnlarged(sighting: Sighting | undefined): string {
  return `The image was not enlarged. ${sighting?.sentence ?? 'The model for enlarging could not be loaded.'}`;
}

/** The failure that a line of the engine, or its end, tells of; its cause holds the last lines. */
export function engineFailed({ sentence, nextStep, subject, isDamage }: Sighting, record: RunRecord): Failure {
  const remedy: Remedy | undefined = isDamage ? { kind: 'heal' } : undefined;
  return new Failure('engine-failed', sentence, {
    nextStep,
    remedy,
    cause: new Error(transcript(record)),
    ...(subject === undefined ? {} : { subject })
  });
}

/** The engine's last lines, for logs. */
export function transcript({ lastLines, program }: RunRecord): string {
  return lastLines.length === 0 ? `${program} printed nothing` : `${program}'s last lines:\n${lastLines.join('\n')}`;
}
