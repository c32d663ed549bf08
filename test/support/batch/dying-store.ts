import type { ObjectStore } from '../../../server/artifacts/object-store';

/** A store that whoever uses it dies at: no call comes back from so many on. */
export interface DyingStore extends ObjectStore {
  /** How many calls there were. */
  readonly calls: number;
}

/** Thrown in the place of a death; nobody expects it, so nobody tidies up after it. */
export class Death extends Error {}

/**
 * A store whose user dies: before one of its calls, or after it was done and before its answer came.
 * @param at the call, from 1; undefined: never
 */
export function dyingStore(store: ObjectStore, at?: number, moment: 'before' | 'after' = 'before'): DyingStore {
  let calls = 0;
  const call = async <T>(run: () => Promise<T>): Promise<T> => {
    calls += 1;
    const number = calls;
    if (at !== undefined && (number > at || (number === at && moment === 'before'))) throw new Death();
    const answer = await run();
    if (number === at) throw new Death();
    return answer;
  };
  return {
    get calls() {
      return calls;
    },
    label: store.label,
    put: (...args) => call(() => store.put(...args)),
    head: (...args) => call(() => store.head(...args)),
    read: (...args) => call(() => store.read(...args)),
    source: (...args) => store.source(...args),
    copy: (...args) => call(() => store.copy(...args)),
    delete: (...args) => call(() => store.delete(...args)),
    list: (...args) => store.list(...args),
    readDocument: (...args) => call(() => store.readDocument(...args)),
    swapDocument: (...args) => call(() => store.swapDocument(...args)),
    deleteDocument: (...args) => call(() => store.deleteDocument(...args))
  };
}
