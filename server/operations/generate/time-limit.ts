import { Failure } from '../../../shared/failure';
import { SETTINGS } from '../../../shared/settings';
import type { GenerateOptions } from './generate-options';

/** The longest time that timers of the runtime can wait, in ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs something that a signal ends, and has it ended when it takes longer than the user allows.
 * @throws what `run` throws; Failure('engine-failed') when it took too long
 */
export async function withinTimeLimit<T>(
  { signal, timeLimitMinutes: minutes = 0 }: Pick<GenerateOptions, 'signal' | 'timeLimitMinutes'>,
  run: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  if (minutes <= 0) return run(signal);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), Math.min(minutes * 60_000, LONGEST_TIMER_MS));
  try {
    return await run(AbortSignal.any([signal, limit.signal]));
  } catch (error) {
    if (!limit.signal.aborted || signal.aborted) throw error;
    const { key } = SETTINGS.engineTimeLimit;
    throw new Failure(
      'engine-failed',
      `The generation was ended because it took longer than ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`,
      {
        nextStep: `Raise the limit (${key}), or ask for a smaller image or fewer steps.`,
        remedy: { kind: 'setting', key },
        cause: error
      }
    );
  } finally {
    clearTimeout(timer);
  }
}
