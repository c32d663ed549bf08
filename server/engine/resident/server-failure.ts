import { Failure } from '../../../shared/failure';
import type { ChildEnd } from '../../platform/child-process';
import { type EndMeaning, endMeaning } from '../ends';
import { engineFailed, transcript } from '../explain';
import type { RunRecord } from '../run-record';

/** Why sd-server is gone, told from what it said last. */
export function serverEndFailure(record: RunRecord, end: ChildEnd): Failure {
  const [sighting] = record.sightings;
  return engineFailed(sighting ?? meaningOf(end), record);
}

/**
 * Why sd-server ended before it listened: 'engine-unusable' where sd-cli may do better with the same model, which it does
 * not where files are at fault, or the memory.
 */
export function serverStartFailure(record: RunRecord, end: ChildEnd): Failure {
  const [sighting] = record.sightings;
  const isOfModel = sighting !== undefined && !sighting.isOfProgram;
  if (isOfModel || end.signal === 'SIGKILL') return serverEndFailure(record, end);
  const { sentence, nextStep } = sighting ?? withLastLine(meaningOf(end), record);
  return new Failure('engine-unusable', sentence, { nextStep, cause: new Error(transcript(record)) });
}

/** Why a job of sd-server failed. @param reason in the server's words, which are few */
export function serverJobFailure(record: RunRecord, reason: string): Failure {
  const [sighting] = record.sightings;
  const unexplained = {
    sentence: `sd-server made no image: ${reason.slice(0, 300)}.`,
    nextStep: 'Look at the log for its last lines.'
  };
  return engineFailed(sighting ?? unexplained, record);
}

/** What becomes of the memory is not watched for as long as a server runs. */
function meaningOf(end: ChildEnd): EndMeaning {
  return endMeaning({ ...end, memory: 'unknown' }, 'sd-server');
}

/** The last thing that a program said is often why it ended. */
function withLastLine({ sentence, nextStep }: EndMeaning, { lastLines }: RunRecord): EndMeaning {
  const line = lastLines.at(-1);
  return { sentence: line === undefined ? sentence : `${sentence} It said: ${line}`, nextStep };
}
