import { type ModelName, parseModelName } from '../../../shared/model-name';
import type { ListedObject, ObjectStore } from '../object-store';
import { KEPT_MS, type Pointer, readPointerAt } from './pointer';
import { type AttemptPlace, attemptOf, attemptTime, isPointerKey } from './publication-keys';

/** An attempt that nothing names. */
export interface CollectedAttempt {
  /** Its place in the store. */
  readonly prefix: string;
  readonly objects: number;
  readonly bytes: number;
}

export interface Collection {
  readonly attempts: readonly CollectedAttempt[];
  /** Attempts that nothing names, but not for seven days yet. */
  readonly recent: number;
  /** Names that are published. */
  readonly published: readonly ModelName[];
}

export interface CollectOptions {
  /** Says what would be removed and changes nothing. */
  readonly dryRun: boolean;
  /** ms since the epoch. */
  readonly now: number;
  readonly signal: AbortSignal;
}

/** The objects of one attempt. */
interface FoundAttempt extends AttemptPlace {
  readonly objects: ListedObject[];
}

/**
 * Removes what crashes and replaced publications left: attempts that no pointer has named for seven days. What does not
 * look like an attempt of ours is left alone.
 * @throws Failure, also for a pointer that nobody understands: then nobody can tell what it names
 */
export async function collectAttempts(
  store: ObjectStore,
  { dryRun, now, signal }: CollectOptions
): Promise<Collection> {
  const found = new Map<string, FoundAttempt>();
  const published = new Map<string, ModelName>();
  for await (const object of store.list(null, signal)) {
    const place = attemptOf(object.key);
    const attempt = place && (found.get(place.prefix) ?? { ...place, objects: [] });
    attempt?.objects.push(object);
    if (attempt) found.set(attempt.prefix, attempt);
    if (!isPointerKey(object.key)) continue;
    const pointer = (await readPointerAt(store, object.key, signal))?.pointer;
    const name = pointer?.kind === 'published' ? parseModelName(pointer.name) : undefined;
    if (name) published.set(object.key, name);
  }
  const attempts: CollectedAttempt[] = [];
  let recent = 0;
  for (const { pointer: key, attempt, prefix, objects } of found.values()) {
    // Asked again for each: a publication may have been made since the store was listed.
    const pointer = (await readPointerAt(store, key, signal))?.pointer;
    const unnamedSince = sinceWhen(pointer, attempt, objects);
    if (unnamedSince === undefined) continue;
    // Of a store that does not tell when it got an object, nothing is old enough.
    if (!(now - unnamedSince >= KEPT_MS)) {
      recent += 1;
      continue;
    }
    if (!dryRun) for (const object of objects) await store.delete(object.key, signal);
    attempts.push({ prefix, objects: objects.length, bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0) });
  }
  return { attempts, recent, published: [...published.values()] };
}

/** Since when nothing names an attempt, in ms since the epoch; undefined while it is the publication. */
function sinceWhen(
  pointer: Pointer | undefined,
  attempt: string,
  objects: readonly ListedObject[]
): number | undefined {
  if (pointer?.kind === 'published' && pointer.attempt === attempt) return undefined;
  const replaced = pointer?.replaced.filter((before) => before.attempt === attempt) ?? [];
  const times = [
    // What was copied may be as old as what it is a copy of.
    attemptTime(attempt),
    ...objects.map(({ changedAtUnixMs }) => changedAtUnixMs),
    ...replaced.map(({ until_unix_ms }) => until_unix_ms)
  ];
  return times.reduce((latest, time) => Math.max(latest, time), 0);
}
