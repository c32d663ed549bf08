import { describe, expect, it } from 'vitest';
import {
  beginNext,
  counts,
  noProgress,
  type Progress,
  withFailure,
  withImage,
  withoutAttempt
} from '../../../../server/artifacts/checkpoints/progress';
import { digestOf } from '../../../support/sample-bundle';

const ID = digestOf(Buffer.from('an image'));
const FAILURE = { code: 'engine-failed', message: 'It failed.' } as const;

/** Begins the next item again and again, as runners do that die before it ends. */
function diesInEachAttempt(progress: Progress, times: number): Progress {
  return Array.from({ length: times }).reduce<Progress>((now) => beginNext(now).progress, progress);
}

describe('the progress of a job', () => {
  it('gives items their turns in order, and none when all have results', () => {
    let { progress, item } = beginNext(noProgress(2));
    expect(item).toBe(0);
    ({ progress, item } = beginNext(withImage(progress, 0, ID)));
    expect(item).toBe(1);
    expect(beginNext(withImage(progress, 1, ID))).toMatchObject({ item: undefined });
  });

  it('tries an item three times, then records its failure and goes on', () => {
    let begun = beginNext(noProgress(2));
    const tried: (number | undefined)[] = [];
    while (begun.item === 0 && tried.length < 10) {
      tried.push(begun.item);
      begun = beginNext(withFailure(begun.progress, 0, FAILURE));
    }
    expect(tried).toHaveLength(3);
    expect(begun.item).toBe(1);
    expect(begun.progress.results[0]).toEqual({ kind: 'failed', failure: FAILURE });
    expect(counts(begun.progress)).toEqual({ done: 0, failed: 1 });
  });

  it('passes an item over that ended three runners before it ended', () => {
    const { progress, item } = beginNext(diesInEachAttempt(noProgress(2), 3));
    expect(item).toBe(1);
    expect(progress.results[0]).toMatchObject({ kind: 'failed', failure: { code: 'engine-failed' } });
  });

  it('does not count an attempt that was taken back', () => {
    let progress = noProgress(1);
    for (let run = 0; run < 10; run += 1) progress = withoutAttempt(beginNext(progress).progress, 0);
    expect(beginNext(progress).item).toBe(0);
    expect(progress.attempts.size).toBe(0);
  });

  it('counts failures and deaths of an item together', () => {
    const once = withFailure(beginNext(noProgress(1)).progress, 0, FAILURE);
    const twice = diesInEachAttempt(once, 1);
    const last = beginNext(twice);
    expect(last.item).toBe(0);
    expect(withFailure(last.progress, 0, FAILURE).results).toEqual([{ kind: 'failed', failure: FAILURE }]);
  });
});
