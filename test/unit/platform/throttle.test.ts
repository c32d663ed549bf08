import { beforeEach, describe, expect, it } from 'vitest';
import { Throttle, type Ticker } from '../../../server/platform/throttle';

let now: number;
let timer: { readonly at: number; readonly callback: () => void } | undefined;
let emitted: [at: number, value: string][];
let throttle: Throttle<string>;

beforeEach(() => {
  now = 5000;
  timer = undefined;
  emitted = [];
  const ticker: Ticker = {
    now: () => now,
    after(milliseconds, callback) {
      timer = { at: now + milliseconds, callback };
      return () => {
        timer = undefined;
      };
    }
  };
  throttle = new Throttle((value) => emitted.push([now, value]), ticker);
});

/** Lets time pass; timers go off when they are due. */
function pass(milliseconds: number): void {
  const end = now + milliseconds;
  while (timer && timer.at <= end) {
    const { at, callback } = timer;
    timer = undefined;
    now = at;
    callback();
  }
  now = end;
}

describe('a throttle', () => {
  it('lets the first value through at once', () => {
    throttle.offer('a');
    expect(emitted).toEqual([[5000, 'a']]);
    expect(timer).toBeUndefined();
  });

  it('lets the last of those that come too fast through when its time has come', () => {
    for (const value of ['a', 'b', 'c']) throttle.offer(value);
    expect(emitted).toEqual([[5000, 'a']]);
    pass(100);
    expect(emitted).toEqual([
      [5000, 'a'],
      [5100, 'c']
    ]);
  });

  it('lets at most ten values a second through, in order, and the last one always', () => {
    for (let value = 0; value < 3000; value += 1) {
      throttle.offer(String(value));
      pass(1);
    }
    throttle.flush();
    const times = emitted.map(([at]) => at);
    for (const [index, at] of times.slice(1, -1).entries())
      expect(at - (times[index] ?? 0)).toBeGreaterThanOrEqual(100);
    expect(emitted.length).toBeLessThanOrEqual(32);
    expect(emitted.at(-1)?.[1]).toBe('2999');
    const values = emitted.map(([, value]) => Number(value));
    expect(values).toEqual(values.toSorted((a, b) => a - b));
  });

  it('emits at a flush what it held back, once', () => {
    throttle.offer('a');
    throttle.offer('b');
    throttle.flush();
    throttle.flush();
    pass(1000);
    expect(emitted.map(([, value]) => value)).toEqual(['a', 'b']);
  });

  it('emits nothing any more after it was stopped', () => {
    throttle.offer('a');
    throttle.offer('b');
    throttle.stop();
    pass(1000);
    throttle.flush();
    expect(emitted.map(([, value]) => value)).toEqual(['a']);
    expect(timer).toBeUndefined();
  });
});
