import { describe, expect, it } from 'vitest';
import { waitBeforeRetry } from '../../../server/pull/retry-policy';
import { TransferRate } from '../../../server/pull/transfer-rate';

describe('the rate of a transfer', () => {
  it('is not told before half a second has passed', () => {
    const rate = new TransferRate(0, 0);
    rate.note(400, 1_000_000);
    expect(rate.bytesPerSecond).toBeNull();
  });

  it('leaves out what was there before', () => {
    const rate = new TransferRate(0, 5_000_000);
    rate.note(1000, 6_000_000);
    expect(rate.bytesPerSecond).toBe(1_000_000);
  });

  it('follows a change within seconds without jumping to it', () => {
    const rate = new TransferRate(0, 0);
    for (let second = 1; second <= 10; second += 1) rate.note(second * 1000, second * 1_000_000);
    rate.note(11_000, 10_000_000);
    expect(rate.bytesPerSecond).toBeGreaterThan(500_000);
    for (let second = 12; second <= 40; second += 1) rate.note(second * 1000, 10_000_000);
    expect(rate.bytesPerSecond).toBeLessThan(50_000);
  });
});

describe('the wait before another attempt', () => {
  it('doubles, with jitter, up to half a minute', () => {
    const longest = [1, 2, 3, 4, 20].map((attempt) => waitBeforeRetry(attempt, 0, 1));
    expect(longest).toEqual([500, 1000, 2000, 4000, 30_000]);
    expect(waitBeforeRetry(3, 0, 0)).toBe(1000);
  });

  it('leaves out what the server made us wait anyway', () => {
    expect(waitBeforeRetry(1, 60_000, 1)).toBe(0);
    expect(waitBeforeRetry(3, 500, 0)).toBe(500);
  });
});
