import { Failure } from '../../shared/failure';
import type { ChildEnd } from '../platform/child-process';
import type { RunRecord } from './run-record';

/**
 * Why a run that is over did not give what was asked for. The exit code alone proves nothing: sd-cli ends with 0
 * after saving a part of a batch, and with a signal when it runs out of memory.
 * @param images how many images were asked for
 * @returns undefined when the engine claims success; its files are still to be checked
 */
export function runFailure(record: RunRecord, end: ChildEnd, images: number): Failure | undefined {
  const { summary } = record;
  const isComplete = summary?.saved === images && summary.images === images && !record.hasUnsavedImages;
  if (end.code === 0 && isComplete) return undefined;
  const [sighting] = record.sightings;
  // What is seen in a run that ended well, a LoRA that is missing for example, did not keep it from saving.
  if (sighting && end.code !== 0) return engineFailed(sighting.sentence, sighting.nextStep, record, sighting.subject);
  if (end.code === 0 || summary) return unsaved(record, images);
  return engineFailed(endSentence(end), 'Look at the log for its last lines.', record);
}

/** The failure of an image that the engine claims to have saved, but that cannot be used. */
export function badResult(record: RunRecord, cause: unknown): Failure {
  return new Failure('engine-failed', 'sd-cli wrote an image that is missing or damaged; the disk may be full.', {
    nextStep: 'Free some space, then try again.',
    cause: new Error(transcript(record), { cause })
  });
}

function unsaved(record: RunRecord, images: number): Failure {
  const { summary } = record;
  const saved = summary?.saved ?? 0;
  const sentence =
    saved === 0
      ? 'sd-cli ended without saving an image.'
      : saved < images
        ? `sd-cli saved only ${saved} of ${images} images.`
        : 'sd-cli did not save every image.';
  return engineFailed(sentence, 'Check the free space and the permissions of the cache folder.', record);
}

function endSentence({ code, signal }: ChildEnd): string {
  if (signal === 'SIGKILL') return 'sd-cli was killed by the system, which happens when memory runs out.';
  return signal === null ? `sd-cli failed with exit code ${code}.` : `sd-cli crashed (${signal}).`;
}

function engineFailed(sentence: string, nextStep: string, record: RunRecord, subject?: string): Failure {
  return new Failure('engine-failed', sentence, {
    nextStep,
    cause: new Error(transcript(record)),
    ...(subject === undefined ? {} : { subject })
  });
}

function transcript({ lastLines }: RunRecord): string {
  return lastLines.length === 0 ? 'sd-cli printed nothing' : `sd-cli's last lines:\n${lastLines.join('\n')}`;
}
