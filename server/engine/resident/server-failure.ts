import { Failure } from '../../../shared/failure';
import type { ChildEnd } from '../../platform/child-process';
import type { RunRecord } from '../run-record';

const LOG_STEP = 'Look at the log for its last lines.';

/** Why sd-server is gone, told from what it said last. */
export function serverEndFailure(record: RunRecord, end: ChildEnd): Failure {
  return (
    sightedFailure(record) ??
    new Failure('engine-failed', endSentence(end), { nextStep: LOG_STEP, cause: transcript(record) })
  );
}

/**
 * Why sd-server ended before it listened: 'engine-unusable' where sd-cli may do better with the same model, which it does
 * not where files are at fault, or the memory.
 */
export function serverStartFailure(record: RunRecord, end: ChildEnd): Failure {
  const [sighting] = record.sightings;
  const isOfModel = sighting !== undefined && !sighting.isOfProgram;
  if (isOfModel || end.signal === 'SIGKILL') return serverEndFailure(record, end);
  return new Failure('engine-unusable', sighting?.sentence ?? withLastLine(endSentence(end), record), {
    nextStep: sighting?.nextStep ?? LOG_STEP,
    cause: transcript(record)
  });
}

/** Why a job of sd-server failed. @param reason in the server's words, which are few */
export function serverJobFailure(record: RunRecord, reason: string): Failure {
  return (
    sightedFailure(record) ??
    new Failure('engine-failed', `sd-server made no image: ${reason.slice(0, 300)}.`, {
      nextStep: LOG_STEP,
      cause: transcript(record)
    })
  );
}

function sightedFailure(record: RunRecord): Failure | undefined {
  const [sighting] = record.sightings;
  if (!sighting) return undefined;
  const { sentence, nextStep, subject, isDamage } = sighting;
  return new Failure('engine-failed', sentence, {
    nextStep,
    cause: transcript(record),
    ...(isDamage && { remedy: { kind: 'heal' } }),
    ...(subject !== undefined && { subject })
  });
}

function endSentence({ code, signal }: ChildEnd): string {
  if (signal === 'SIGKILL') return 'sd-server was killed by the system, which happens when memory runs out.';
  return signal === null ? `sd-server ended with exit code ${code}.` : `sd-server crashed (${signal}).`;
}

/** The last thing that a program said is often why it ended. */
function withLastLine(sentence: string, { lastLines }: RunRecord): string {
  const line = lastLines.at(-1);
  return line === undefined ? sentence : `${sentence} It said: ${line}`;
}

function transcript({ lastLines }: RunRecord): Error {
  return new Error(
    lastLines.length === 0 ? 'sd-server printed nothing' : `sd-server's last lines:\n${lastLines.join('\n')}`
  );
}
