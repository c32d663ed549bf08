/** How many attempts in a row may pass and bring next to nothing before a transfer gives up. */
export const MOST_FRUITLESS_ATTEMPTS = 5;

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/**
 * How long to wait before the next attempt: doubled each time, with jitter so that many clients do not come back
 * together. What the next request waits anyway counts.
 * @param fruitless attempts in a row that brought next to nothing, from 1
 * @param random a number from 0 to 1
 * @returns milliseconds
 */
export function waitBeforeRetry(fruitless: number, awaitedMs: number, random: number): number {
  const ceiling = Math.min(FIRST_WAIT_MS * 2 ** (fruitless - 1), LONGEST_WAIT_MS);
  return Math.max(0, Math.round(ceiling / 2 + (ceiling / 2) * random) - awaitedMs);
}
