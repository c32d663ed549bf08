import { fileURLToPath } from 'node:url';
import { Failure } from '../../../shared/failure';
import { FileStore } from '../../artifacts/file-store/file-store';
import type { ObjectStore } from '../../artifacts/object-store';
import type { Services } from '../services';
import { knownStore } from './known-stores';

/**
 * Opens a team's store. Nothing is read, written or connected to yet.
 * @param nameOrUrl a name of the settings, or an address
 * @throws Failure('wrong-usage') when there is no such store or its address makes no sense
 */
export async function openStore(
  services: Pick<Services, 'stores' | 'environment' | 'hasher'>,
  nameOrUrl: string
): Promise<ObjectStore> {
  const { address, url } = knownStore(services, nameOrUrl);
  if (address.kind === 'folder') return new FileStore(fileURLToPath(address.url), services.hasher);
  throw new Failure('unsupported-address', 'Stores in buckets are not supported yet.', { subject: url });
}
