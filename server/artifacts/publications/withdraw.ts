import type { ModelName } from '../../../shared/model-name';
import type { ObjectStore } from '../object-store';
import { changePointer } from './change-pointer';
import { type Pointer, replacedBy } from './pointer';
import { fileKey, MANIFEST_FILE } from './publication-keys';
import { readAttemptFiles } from './read-publication';

/** What was withdrawn. */
export interface Withdrawn {
  readonly wasPublished: boolean;
  /** Objects that were removed. */
  readonly objects: number;
}

/**
 * Takes a publication back: first its pointer, so that nobody finds it any more, then exactly the files of its
 * manifest, and the manifest last. Repeated after a crash, it removes the rest.
 * @param now ms since the epoch
 * @throws Failure
 */
export async function withdraw(
  store: ObjectStore,
  name: ModelName,
  now: number,
  signal: AbortSignal
): Promise<Withdrawn> {
  const { isChanged, pointer } = await changePointer(store, name, (previous) => withdrawn(previous, now), signal);
  const facts = { wasPublished: isChanged };
  if (pointer?.kind !== 'withdrawn') return { ...facts, objects: 0 };
  const { attempt } = pointer;
  const files = await readAttemptFiles(store, name, attempt, signal);
  if (!files) return { ...facts, objects: 0 };
  for (const file of files) await store.delete(fileKey(name, attempt, file.name), signal);
  await store.delete(fileKey(name, attempt, MANIFEST_FILE), signal);
  return { ...facts, objects: files.length + 1 };
}

function withdrawn(previous: Pointer | undefined, now: number): Pointer | undefined {
  if (previous?.kind !== 'published') return undefined;
  const { name, attempt } = previous;
  return {
    kind: 'withdrawn',
    version: 1,
    name,
    attempt,
    withdrawn_at_unix_ms: now,
    replaced: replacedBy(previous, now)
  };
}
