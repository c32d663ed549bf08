import * as z from 'zod';
import { isDigest } from '../../../shared/digest';
import { FAILURE_CODES } from '../../../shared/failure';
import type { ItemResult, Progress } from './progress';

const digest = z.string().refine(isDigest, 'not a SHA-256 in lower case');

/** An object of a checkpoint and what it has to hold. */
const part = z.object({
  /** The last segment of its key. */
  name: z.string(),
  sha256: digest,
  bytes: z.int().min(0)
});

export type CheckpointPart = z.infer<typeof part>;

/**
 * The document that is the checkpoint: changed by compare-and-swap, latest wins. `run` is one beginning of the job, and
 * names the folder of its objects; `runner` is who works on it now. `removing`: the job is over, and what is left of it
 * is being removed.
 */
export const checkpointManifest = z.object({
  version: z.literal(1),
  job: z.string(),
  run: z.string().regex(/^[a-z0-9]+$/),
  runner: z.string(),
  sequence: z.int().min(1),
  phase: z.enum(['running', 'stopped', 'removing']),
  plan: part,
  state: part
});

export type CheckpointManifest = z.infer<typeof checkpointManifest>;

const failure = z.object({
  code: z.enum(FAILURE_CODES),
  message: z.string(),
  subject: z.string().exactOptional(),
  nextStep: z.string().exactOptional()
});

/** Results by item: null, the digest of an image, or a failure. */
const checkpointState = z.object({
  version: z.literal(1),
  sequence: z.int().min(1),
  results: z.array(z.union([z.null(), digest, failure])),
  attempts: z.record(z.string().regex(/^\d+$/), z.int().min(1))
});

/** The text of a state. */
export function formatState(sequence: number, { results, attempts }: Progress): string {
  return JSON.stringify({
    version: 1,
    sequence,
    results: results.map((result) =>
      result === undefined ? null : result.kind === 'image' ? result.id : result.failure
    ),
    attempts: Object.fromEntries(attempts)
  });
}

/** Reads the text of a state. @throws Error when it is none */
export function parseState(text: string): Progress {
  const { results, attempts } = checkpointState.parse(JSON.parse(text));
  return {
    results: results.map(resultOf),
    attempts: new Map(Object.entries(attempts).map(([item, count]) => [Number(item), count]))
  };
}

function resultOf(written: z.infer<typeof checkpointState>['results'][number]): ItemResult | undefined {
  if (written === null) return undefined;
  return typeof written === 'string' ? { kind: 'image', id: written } : { kind: 'failed', failure: written };
}
