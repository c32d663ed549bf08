import { Failure } from '../../../shared/failure';
import type { ObjectStore } from '../object-store';
import type { StoreKey } from '../store-key';

/**
 * The failure of a checkpoint that is there and cannot be relied on. It is never passed over: what it stood for may be
 * days of work.
 * @param key what is damaged
 * @param what is wrong with it: completes a sentence that begins with its name
 */
export function tornCheckpoint({ label }: ObjectStore, key: StoreKey, what: string, cause?: unknown): Failure {
  return new Failure('bad-checkpoint', `The checkpoint of the batch is damaged: ${key} ${what}.`, {
    subject: `${label}/${key}`,
    nextStep: 'Put back what was there before, or begin anew with --restart; all images are made again then.',
    cause
  });
}
