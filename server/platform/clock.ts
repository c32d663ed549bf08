import { cancelled } from '../../shared/failure';

/** Time as services see it; tests hand in their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** Milliseconds since any fixed point; for durations, as they only ever grow, whoever sets the clock meanwhile. */
  readonly elapsed: () => number;
  /** Waits. @param milliseconds how long @throws Failure('cancelled') as soon as the signal aborts */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(cancelled('Waiting'));
        return;
      }
      const abort = (): void => {
        clearTimeout(timer);
        reject(cancelled('Waiting'));
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', abort);
        resolve();
      }, milliseconds);
      signal.addEventListener('abort', abort, { once: true });
    })
};
