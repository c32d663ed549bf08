import { createHash } from 'node:crypto';
import { Failure } from '../../../shared/failure';
import type { ObjectStore } from '../object-store';
import { type CheckpointManifest, type CheckpointPart, checkpointManifest, parseState } from './checkpoint-format';
import { CheckpointKeys } from './checkpoint-keys';
import type { Progress } from './progress';
import { tornCheckpoint } from './torn-checkpoint';

/** The document of a checkpoint as a store has it. */
export type FoundCheckpoint =
  | { readonly kind: 'readable'; readonly version: string; readonly manifest: CheckpointManifest }
  | { readonly kind: 'torn'; readonly version: string; readonly failure: Failure };

/** What a checkpoint holds. */
export interface CheckpointContent {
  readonly version: string;
  readonly manifest: CheckpointManifest;
  /** As whoever began the job wrote it. */
  readonly plan: string;
  readonly progress: Progress;
}

/** The largest manifest, and the largest of its parts, in bytes. */
const LARGEST_MANIFEST = 64 * 1024;
const LARGEST_PART = 64 * 1024 * 1024;

/** Looks for the checkpoint of a job. @throws Failure of the store */
export async function findCheckpoint(
  store: ObjectStore,
  job: string,
  signal: AbortSignal
): Promise<FoundCheckpoint | undefined> {
  const { manifest: key } = new CheckpointKeys(job);
  const found = await store.readDocument(key, { signal, limit: LARGEST_MANIFEST });
  if (!found) return undefined;
  const { version } = found;
  try {
    const manifest = checkpointManifest.parse(
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(found.bytes))
    );
    if (manifest.job === job) return { kind: 'readable', version, manifest };
    return { kind: 'torn', version, failure: tornCheckpoint(store, key, 'is that of another batch') };
  } catch (cause) {
    const what = 'cannot be read; it is torn, or a newer version wrote it';
    return { kind: 'torn', version, failure: tornCheckpoint(store, key, what, cause) };
  }
}

/**
 * Reads the checkpoint of a job, the latest one if somebody is writing it.
 * @returns undefined when there is none
 * @throws Failure('bad-checkpoint') that names what is damaged; Failure of the store
 */
export async function readCheckpoint(
  store: ObjectStore,
  job: string,
  signal: AbortSignal
): Promise<CheckpointContent | undefined> {
  for (let before: string | undefined; ; ) {
    const found = await findCheckpoint(store, job, signal);
    if (!found) return undefined;
    if (found.kind === 'torn') throw found.failure;
    try {
      return await readParts(store, found, signal);
    } catch (error) {
      // Whoever works on the job replaces its state, and removes the one before.
      const isReplaced = error instanceof Failure && error.code === 'bad-checkpoint' && before !== found.version;
      if (!isReplaced) throw error;
      before = found.version;
    }
  }
}

async function readParts(
  store: ObjectStore,
  { version, manifest }: Extract<FoundCheckpoint, { kind: 'readable' }>,
  signal: AbortSignal
): Promise<CheckpointContent> {
  const keys = new CheckpointKeys(manifest.job);
  const read = async ({ name, sha256, bytes }: CheckpointPart): Promise<string> => {
    const key = keys.part(manifest.run, name);
    const found = await store.read(key, { signal, limit: LARGEST_PART });
    if (!found) throw tornCheckpoint(store, key, 'is missing');
    const isWhole = found.bytes.length === bytes;
    if (!isWhole) throw tornCheckpoint(store, key, `has ${found.bytes.length} bytes instead of ${bytes}`);
    if (createHash('sha256').update(found.bytes).digest('hex') === sha256) return Buffer.from(found.bytes).toString();
    throw tornCheckpoint(store, key, 'does not have the content that it was written with');
  };
  const plan = await read(manifest.plan);
  const state = await read(manifest.state);
  try {
    return { version, manifest, plan, progress: parseState(state) };
  } catch (cause) {
    throw tornCheckpoint(store, keys.part(manifest.run, manifest.state.name), 'makes no sense', cause);
  }
}
