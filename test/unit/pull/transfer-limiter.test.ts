import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../server/platform/clock';
import { TransferLimiter } from '../../../server/pull/http/transfer-limiter';

/** A clock that is always where its sleepers want it, in the order in which they want it. */
function virtualClock(): Pick<Clock, 'elapsed' | 'sleep'> & { readonly time: () => number } {
  let now = 0;
  const sleepers: { at: number; wake: () => void }[] = [];
  const advance = (): void => {
    const next = sleepers.toSorted((a, b) => a.at - b.at)[0];
    if (!next) return;
    sleepers.splice(sleepers.indexOf(next), 1);
    now = Math.max(now, next.at);
    next.wake();
  };
  return {
    elapsed: () => now,
    time: () => now,
    sleep: (milliseconds) =>
      new Promise((resolve) => {
        sleepers.push({ at: now + milliseconds, wake: resolve });
        setImmediate(advance);
      })
  };
}

async function* body(chunks: number, size: number): AsyncIterable<Uint8Array> {
  for (let chunk = 0; chunk < chunks; chunk += 1) yield new Uint8Array(size);
}

const { signal } = new AbortController();

/** Reads a body to its end. */
async function drain(
  limiter: TransferLimiter,
  source: AsyncIterable<Uint8Array>,
  note: (bytes: number) => void = () => undefined
) {
  for await (const { length } of limiter.paced(source, signal)) note(length);
}

describe('a rate limit', () => {
  it.each([1, 3, 8])('holds exactly over time for %d connections together', async (connections) => {
    const clock = virtualClock();
    const limiter = new TransferLimiter(clock, { bytesPerSecond: 1_000_000, connections: 8 });
    let passed = 0;
    const note = (bytes: number): void => {
      passed += bytes;
      // The credit of 100 ms and the slices under way.
      expect(passed).toBeLessThanOrEqual(clock.time() * 1000 + 100_000 + connections * 16_384);
    };
    await Promise.all(Array.from({ length: connections }, () => drain(limiter, body(100, 60_000), note)));
    expect(passed).toBe(connections * 6_000_000);
    const expected = connections * 6000;
    expect(clock.time()).toBeGreaterThan(expected - 200);
    expect(clock.time()).toBeLessThan(expected + 200);
  });

  it('is shared fairly, whatever the sizes of the chunks', async () => {
    const clock = virtualClock();
    const limiter = new TransferLimiter(clock, { bytesPerSecond: 1_000_000, connections: 8 });
    const passed = [0, 0, 0];
    const chunks = [65_536, 16_384, 131_072];
    const stopped = new Error('seen enough');
    const reading = chunks.map((size, index) =>
      drain(limiter, body(4_000_000, size), (bytes) => {
        passed[index] = (passed[index] ?? 0) + bytes;
        if (clock.time() > 10_000) throw stopped;
      })
    );
    await Promise.allSettled(reading);
    expect(Math.max(...passed) - Math.min(...passed)).toBeLessThanOrEqual(3 * 16_384);
  });

  it('does not save up what was not used', async () => {
    const clock = virtualClock();
    const limiter = new TransferLimiter(clock, { bytesPerSecond: 1_000_000, connections: 8 });
    await drain(limiter, body(1, 16_384));
    await clock.sleep(60_000, signal);
    const before = clock.time();
    await drain(limiter, body(100, 10_000));
    expect(clock.time() - before).toBeGreaterThan(800);
  });

  it('may change and end while a slow transfer waits', async () => {
    const clock = virtualClock();
    const limiter = new TransferLimiter(clock, { bytesPerSecond: 100, connections: 8 });
    let slices = 0;
    await drain(limiter, body(10, 16_384), () => {
      slices += 1;
      // The next slice would wait for minutes.
      if (slices === 1) void clock.sleep(500, signal).then(() => limiter.change({ bytesPerSecond: 0, connections: 8 }));
    });
    expect(slices).toBe(10);
    expect(clock.time()).toBeLessThan(1500);
  });

  it('does not outlast a cancel', async () => {
    const controller = new AbortController();
    const limiter = new TransferLimiter(
      { elapsed: () => 0, sleep: (_, { reason }) => (controller.abort(), Promise.reject(reason ?? 'cancelled')) },
      { bytesPerSecond: 1, connections: 8 }
    );
    const reading = async (): Promise<void> => {
      for await (const slice of limiter.paced(body(10, 16_384), controller.signal)) expect(slice).toBeDefined();
    };
    await expect(reading()).rejects.toBe('cancelled');
  });

  it('of nothing lets chunks pass as they come', async () => {
    const limiter = new TransferLimiter(virtualClock(), { bytesPerSecond: 0, connections: 8 });
    const sizes: number[] = [];
    await drain(limiter, body(3, 70_000), (bytes) => sizes.push(bytes));
    expect(sizes).toEqual([70_000, 70_000, 70_000]);
  });
});
