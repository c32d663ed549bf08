import { type CollectedAttempt, collectAttempts } from '../../artifacts/publications/collect-attempts';
import { KEPT_MS } from '../../artifacts/publications/pointer';
import { refreshIndex } from '../../artifacts/publications/publication-index';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { openStore } from './open-store';

/** What a collection removed from a store, or with `dryRun` would remove. */
export interface CollectedStore {
  readonly store: string;
  readonly dryRun: boolean;
  /** Places in the store that no publication has named for seven days. */
  readonly attempts: readonly CollectedAttempt[];
  readonly bytes: number;
  /** Such places that are not old enough. */
  readonly recent: number;
  /** Publications; all of them stay. */
  readonly publications: number;
  /** Uploads that nobody finished for seven days and that are ended now; none are looked for by a dry run. */
  readonly endedUploads: number;
}

export interface CollectStoreOptions {
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/**
 * Removes from a store what interrupted and replaced publications left, and writes its list of publications anew. Safe
 * while others publish and fetch.
 * @throws Failure
 */
export async function collectStore(
  services: Services,
  named: string,
  { dryRun, signal }: CollectStoreOptions
): Promise<CollectedStore> {
  requireTrust(services, 'Tidying stores up');
  const store = await openStore(services, named);
  const now = services.clock.now();
  const { attempts, recent, published } = await collectAttempts(store, { dryRun, now, signal });
  if (!dryRun) await refreshIndex(store, published, signal, { all: true });
  const endedUploads = dryRun ? 0 : ((await store.endUploads?.(now - KEPT_MS, signal)) ?? 0);
  const bytes = attempts.reduce((sum, attempt) => sum + attempt.bytes, 0);
  services.log.info('done collection of a store', { store: store.label, dryRun, attempts: attempts.length, bytes });
  return { store: store.label, dryRun, attempts, bytes, recent, publications: published.length, endedUploads };
}
