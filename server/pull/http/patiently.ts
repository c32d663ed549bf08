import type { Clock } from '../../platform/clock';
import { MOST_FRUITLESS_ATTEMPTS, waitBeforeRetry } from '../retry-policy';
import { TransientFault } from '../source';

export interface Patience {
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  /** How often it is tried. */
  readonly attempts?: number | undefined;
  /** Whether trying again would bring the same answer. */
  readonly isFinal?: (fault: TransientFault) => boolean;
}

/**
 * Asks again when something passes by itself, as transfers do.
 * @throws what `attempt` throws; the Failure of a fault that did not pass
 */
export async function patiently<T>(
  attempt: () => Promise<T>,
  { clock, signal, attempts = MOST_FRUITLESS_ATTEMPTS, isFinal = () => false }: Patience
): Promise<T> {
  for (let fruitless = 1; ; fruitless += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TransientFault) || isFinal(error)) throw error;
      if (fruitless === attempts) throw error.failure;
      await clock.sleep(waitBeforeRetry(fruitless, error.awaitedMs, Math.random()), signal);
    }
  }
}
