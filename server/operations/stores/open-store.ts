import { fileURLToPath } from 'node:url';
import { FileStore } from '../../artifacts/file-store/file-store';
import type { ObjectStore } from '../../artifacts/object-store';
import { S3Store } from '../../artifacts/s3/s3-store';
import { createPartHasher } from '../../platform/part-hasher';
import type { Services } from '../services';
import { type BucketParts, bucketAccess } from './bucket-access';
import { knownStore } from './known-stores';

/**
 * Opens a team's store. Nothing is written or connected to yet; whether its credential can be used, the first request
 * says before it connects.
 * @param nameOrUrl a name of the settings, or an address
 * @throws Failure('wrong-usage') when there is no such store or its address makes no sense; when its endpoint
 * cannot be used
 */
export async function openStore(
  services: BucketParts & Pick<Services, 'stores' | 'hasher' | 'pool'>,
  nameOrUrl: string
): Promise<ObjectStore> {
  const { address, ...setting } = knownStore(services, nameOrUrl);
  const { hasher, pool } = services;
  if (address.kind === 'folder') return new FileStore(fileURLToPath(address.url), hasher);
  const access = await bucketAccess(services, { ...setting, scheme: address.scheme, bucket: address.bucket });
  return new S3Store({ ...access, prefix: address.prefix, hasher, parts: createPartHasher(pool) });
}
