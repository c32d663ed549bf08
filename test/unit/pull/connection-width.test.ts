import { describe, expect, it } from 'vitest';
import { ConnectionWidth } from '../../../server/pull/transfer/connection-width';

/** Lets a width watch a server for some seconds. @param throughput bytes a second by number of connections */
function watched(throughput: (connections: number) => number, seconds = 20, most = 8): number[] {
  const width = new ConnectionWidth(0, 0, 1, () => most);
  const seen: number[] = [];
  let bytes = 0;
  for (let second = 1; second <= seconds; second += 1) {
    bytes += throughput(width.connections);
    width.note(second * 1000, bytes);
    seen.push(width.connections);
  }
  return seen;
}

/** Eight that pay, of which some are refused later; a connection brings 10 MB a second. */
function narrowed() {
  const width = new ConnectionWidth(0, 0, 8, () => 8);
  let [second, bytes] = [0, 0];
  /** The number of connections after each of the next seconds. */
  const seen = (seconds: number): number[] =>
    Array.from({ length: seconds }, () => {
      second += 1;
      bytes += width.connections * 10_000_000;
      width.note(second * 1000, bytes);
      return width.connections;
    });
  const drop = (remaining: number): void => width.narrow(second * 1000, remaining);
  return { seen, drop };
}

describe('the number of connections', () => {
  it('grows up to eight while each brings more', () => {
    const seen = watched((connections) => connections * 10_000_000);
    expect(seen.slice(0, 4)).toEqual([3, 8, 8, 8]);
    expect(seen.at(-1)).toBe(8);
  });

  it('goes back to one where a second brings nothing', () => {
    expect(watched(() => 10_000_000).slice(0, 3)).toEqual([3, 1, 1]);
  });

  it('goes back to the last number that paid', () => {
    expect(watched((connections) => Math.min(connections, 3) * 10_000_000).at(-1)).toBe(3);
  });

  it('stays at one where this machine is the limit', () => {
    expect(watched(() => 400_000_000).at(-1)).toBe(1);
  });

  it('grows beyond what the machine gives one connection, as long as each is slow', () => {
    expect(watched((connections) => connections * 42_000_000).at(-1)).toBe(8);
  });

  it('begins with as many as it is told', () => {
    expect(new ConnectionWidth(0, 0, 4, () => 8).connections).toBe(4);
    expect(new ConnectionWidth(0, 0, 4, () => 2).connections).toBe(2);
  });

  it('stays at one for a source that is not to be shared', () => {
    expect(watched((connections) => connections * 10_000_000, 5, 1)).toEqual([1, 1, 1, 1, 1]);
  });

  it('follows what is allowed while it watches', () => {
    let most = 2;
    const width = new ConnectionWidth(0, 0, 1, () => most);
    let bytes = 0;
    let second = 0;
    const watch = (seconds: number): number => {
      for (const until = second + seconds; second < until; width.note(second * 1000, bytes)) {
        bytes += width.connections * 1_000_000;
        second += 1;
      }
      return width.connections;
    };
    expect(watch(5)).toBe(2);
    most = 8;
    expect(watch(5)).toBe(8);
    most = 3;
    expect(width.connections).toBe(3);
  });

  describe('after the server refused or dropped connections', () => {
    it('is content with those that remain as long as that is not long ago', () => {
      const { seen, drop } = narrowed();
      seen(5);
      drop(2);
      expect(new Set(seen(29))).toEqual(new Set([2]));
    });

    it('grows again after half a minute of calm, as long as that pays', () => {
      const { seen, drop } = narrowed();
      drop(1);
      seen(29);
      expect(seen(5)).toEqual([1, 3, 8, 8, 8]);
    });

    it('waits twice as long each time that more are refused again', () => {
      const { seen, drop } = narrowed();
      drop(2);
      const tries: number[] = [];
      for (let second = 1; second <= 1200; second += 1) {
        if (seen(1)[0] === 2) continue;
        tries.push(second);
        drop(2);
      }
      expect(tries).toEqual([31, 92, 213, 454, 935]);
    });

    it('takes several connections that are dropped at once for one mishap', () => {
      const { seen, drop } = narrowed();
      for (const remaining of [7, 6, 5, 4, 3, 2, 1]) drop(remaining);
      seen(31);
      for (const remaining of [2, 1, 1]) drop(remaining);
      expect(new Set(seen(59))).toEqual(new Set([1]));
      expect(seen(3).at(-1)).toBe(8);
    });
  });
});
