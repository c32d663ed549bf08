import { nonce } from '../platform/process-identity';
import type { ObjectStore } from './object-store';
import { storeKey } from './store-key';

/**
 * Makes sure that a store can be reached and written to, and keeps conditions, by a document of its own that is removed
 * again.
 * @throws Failure; 'store-unfit' when the store takes conditions but does not keep them
 */
export async function requireWritable(store: ObjectStore, signal: AbortSignal): Promise<void> {
  const key = storeKey({ reserved: '_dock' }, { reserved: `_check-${nonce()}` });
  await store.swapDocument(key, Buffer.from('{}\n'), null, signal);
  await store.deleteDocument(key, signal);
}
