import { Failure } from '../../shared/failure';
import type { ExitStatus } from './command';
import type { Console } from './console';

/**
 * Does the same for each of several, one after the other: a failure is told, and the next has its turn. That of the
 * only one is thrown, and so is a cancel.
 * @param onFailed adds the failure to what is answered as data
 * @returns the worst status
 */
export async function eachOf<T>(
  items: readonly T[],
  console: Console,
  { job, onFailed }: { job: (item: T) => Promise<ExitStatus>; onFailed: (item: T, failure: Failure) => void }
): Promise<ExitStatus> {
  let status: ExitStatus = 0;
  for (const item of items) {
    try {
      if ((await job(item)) !== 0) status = 1;
    } catch (error) {
      if (!(error instanceof Failure) || error.code === 'cancelled' || items.length === 1) throw error;
      console.complaint(error);
      onFailed(item, error);
      status = 1;
    }
  }
  return status;
}
