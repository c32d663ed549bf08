import type { Digest } from '../../../shared/digest';
import type { FailureData } from '../../../shared/failure';

/** So many times an item is tried. */
const MOST_ATTEMPTS = 3;

/** What an item came to. */
export type ItemResult =
  | { readonly kind: 'image'; readonly id: Digest }
  | { readonly kind: 'failed'; readonly failure: FailureData };

/** How far a job is. Items are counted from 0. */
export interface Progress {
  /** One for each item; undefined as long as it has none. It never changes once it is there. */
  readonly results: readonly (ItemResult | undefined)[];
  /** How often items without a result were begun, that which is under way included. */
  readonly attempts: ReadonlyMap<number, number>;
}

/** A job whose next item is begun, or that has none left. */
export interface Begun {
  readonly progress: Progress;
  readonly item: number | undefined;
}

/** A job of which nothing is done. */
export function noProgress(items: number): Progress {
  return { results: Array.from({ length: items }, () => undefined), attempts: new Map() };
}

/**
 * Begins the next item. The attempt is counted before it is made: an item that ends its machine gets no further
 * attempts than one that fails.
 */
export function beginNext(progress: Progress): Begun {
  const item = progress.results.indexOf(undefined);
  if (item < 0) return { progress, item: undefined };
  const attempts = progress.attempts.get(item) ?? 0;
  if (attempts >= MOST_ATTEMPTS) return beginNext(withResult(progress, item, NEVER_ENDED));
  return { progress: { ...progress, attempts: new Map(progress.attempts).set(item, attempts + 1) }, item };
}

/** Records the image of an item. */
export function withImage(progress: Progress, item: number, id: Digest): Progress {
  return withResult(progress, item, { kind: 'image', id });
}

/** Records that an attempt failed; the last one is the item's result. */
export function withFailure(progress: Progress, item: number, failure: FailureData): Progress {
  const isLast = (progress.attempts.get(item) ?? 0) >= MOST_ATTEMPTS;
  return isLast ? withResult(progress, item, { kind: 'failed', failure }) : progress;
}

/** Takes an attempt back that was begun and is no fault of the item. */
export function withoutAttempt(progress: Progress, item: number): Progress {
  const attempts = new Map(progress.attempts);
  const before = (attempts.get(item) ?? 0) - 1;
  if (before > 0) attempts.set(item, before);
  else attempts.delete(item);
  return { ...progress, attempts };
}

/** How many items have an image, and how many were passed over. */
export function counts({ results }: Progress): { readonly done: number; readonly failed: number } {
  const failed = results.filter((result) => result?.kind === 'failed').length;
  return { done: results.filter((result) => result?.kind === 'image').length, failed };
}

const NEVER_ENDED: ItemResult = {
  kind: 'failed',
  failure: {
    code: 'engine-failed',
    message: `The item was begun ${MOST_ATTEMPTS} times, and each time the process or the machine was gone before it ended.`,
    nextStep: 'Try it alone, with a smaller image or fewer steps.'
  }
};

function withResult({ results, attempts }: Progress, item: number, result: ItemResult): Progress {
  const left = new Map(attempts);
  left.delete(item);
  return { results: results.with(item, result), attempts: left };
}
