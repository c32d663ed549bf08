import { type EngineEvent, EngineOutput } from '../../../server/engine/output';
import { RunRecord } from '../../../server/engine/run-record';
import type { ChildEnd } from '../../../server/platform/child-process';
import { recordedRun } from '../../support/stand-in/testing/recorded-run';

/** What the real sd-cli wrote in a recorded run, and how it ended. */
export interface Recording {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly end: ChildEnd;
}

export function recording(name: string): Recording {
  const { stdout, stderr, code, signal } = recordedRun(name);
  return {
    stdout: Buffer.from(stdout),
    stderr: Buffer.from(stderr),
    end: { code, signal: signal as NodeJS.Signals | null }
  };
}

/** The events of a recorded run, its bytes arriving in chunks of a size. */
export function eventsOf({ stdout, stderr }: Pick<Recording, 'stdout' | 'stderr'>, chunkBytes = 65_536): EngineEvent[] {
  const events: EngineEvent[] = [];
  const output = new EngineOutput((event) => events.push(event));
  for (let at = 0; at < stdout.length; at += chunkBytes) output.writeOutput(stdout.subarray(at, at + chunkBytes));
  for (let at = 0; at < stderr.length; at += chunkBytes) output.writeError(stderr.subarray(at, at + chunkBytes));
  output.end();
  return events;
}

export function recordOf(name: string): RunRecord {
  const record = new RunRecord();
  for (const event of eventsOf(recording(name))) record.observe(event);
  return record;
}
