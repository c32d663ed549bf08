import type { PublishParams, UnpublishResult } from '../../../shared/publication';
import { refreshIndex } from '../../artifacts/publications/publication-index';
import { withdraw } from '../../artifacts/publications/withdraw';
import type { Services } from '../services';
import { requireTrust } from '../trust';
import { openStore } from './open-store';
import { publicationName } from './publication-name';

/**
 * Removes a publication from a store; nothing happens when there is none. The model need not be known here, and what is
 * installed anywhere stays.
 * @throws Failure
 */
export async function unpublishModel(
  services: Services,
  params: PublishParams,
  { signal }: { readonly signal: AbortSignal }
): Promise<UnpublishResult> {
  requireTrust(services, 'Removing publications');
  const name = publicationName(params.name);
  const store = await openStore(services, params.store);
  const withdrawn = await withdraw(store, name, services.clock.now(), signal);
  await refreshIndex(store, [name], signal);
  return { model: name, store: store.label, ...withdrawn };
}
