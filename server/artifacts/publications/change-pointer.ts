import { Failure } from '../../../shared/failure';
import type { ModelName } from '../../../shared/model-name';
import type { ObjectStore } from '../object-store';
import { type Pointer, pointerBytes, readPointer } from './pointer';
import { pointerKey } from './publication-keys';

/** So many times others may be faster before somebody gives up; each time one of them got through. */
const ATTEMPTS = 100;

/** What a change of a pointer came to. */
export interface PointerChange {
  /** Whether it was changed; else it says what it said. */
  readonly isChanged: boolean;
  /** What the store says of the name now, or said when the change was done; undefined when it never said anything. */
  readonly pointer: Pointer | undefined;
}

/**
 * Changes what a store says of a name by compare-and-swap. Whoever loses a race looks at what won and decides anew.
 * @param next the new pointer, or undefined when the one that is there is to stay
 * @throws Failure; what the store says is then unchanged, unless the answer was lost and nobody can tell
 */
export async function changePointer(
  store: ObjectStore,
  name: ModelName,
  next: (previous: Pointer | undefined) => Pointer | undefined,
  signal: AbortSignal
): Promise<PointerChange> {
  let sent: Pointer | undefined;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const found = await readPointer(store, name, signal);
    const previous = found?.pointer;
    // A swap may have been done although its answer was lost, or was taken for a repetition of itself.
    if (sent && previous && wasDone(sent, previous)) return { isChanged: true, pointer: sent };
    const wanted = next(previous);
    if (!wanted) return { isChanged: false, pointer: previous };
    sent = wanted;
    if (await swapped(store, name, wanted, found?.version ?? null, signal)) return { isChanged: true, pointer: wanted };
  }
  throw new Failure('busy', `Others keep changing ${name} in the store.`, {
    subject: `${store.label}/${name}`,
    nextStep: 'Try again later.'
  });
}

/** @returns false when another pointer was there */
async function swapped(
  store: ObjectStore,
  name: ModelName,
  wanted: Pointer,
  version: string | null,
  signal: AbortSignal
): Promise<boolean> {
  try {
    return (await store.swapDocument(pointerKey(name), pointerBytes(wanted), version, signal)) !== undefined;
  } catch (error) {
    if (!(error instanceof Failure) || signal.aborted) throw error;
    const now = await readPointer(store, name, signal).catch(() => undefined);
    if (now && wasDone(wanted, now.pointer)) return true;
    throw error;
  }
}

/** Whether a pointer was the one of a name: it is now, or was replaced since. */
function wasDone(sent: Pointer, { kind, attempt, replaced }: Pointer): boolean {
  if (kind === sent.kind && attempt === sent.attempt) return true;
  return sent.kind === 'published' && replaced.some((before) => before.attempt === sent.attempt);
}
