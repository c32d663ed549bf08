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

function transcript({ lastLines }: RunRecord): Error {
  return new Error(
    lastLines.length === 0 ? 'sd-server printed nothing' : `sd-server's last lines:\n${lastLines.join('\n')}`
  );
}
