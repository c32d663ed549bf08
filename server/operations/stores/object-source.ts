import { Failure } from '../../../shared/failure';
import type { SourceAddress } from '../../../shared/source-address';
import { parseStoreAddress } from '../../../shared/store-address';
import type { StoreSetting } from '../../../shared/store-settings';
import { labelOf } from '../../artifacts/s3/bucket';
import { S3Client } from '../../artifacts/s3/s3-client';
import { s3Source } from '../../artifacts/s3/s3-source';
import type { Source } from '../../pull/source';
import type { Services } from '../services';
import { type BucketParts, bucketAccess } from './bucket-access';
import { namedStores } from './known-stores';

type ObjectAddress = SourceAddress & { readonly kind: 'store' };

/**
 * An object that a manifest names as the source of a file. How its bucket is reached, the settings tell of the store
 * that it lies in, else AWS's own variables and files.
 * @param alias the credential that the manifest names; it goes before that of the settings
 * @throws Failure when the endpoint cannot be used; the first request does when the credential cannot, before it
 *   connects
 */
export async function objectSource(
  services: BucketParts & Pick<Services, 'stores'>,
  address: ObjectAddress,
  alias: string | undefined
): Promise<Source> {
  const { scheme, bucket, key } = address;
  const setting = settingFor(address, Object.values(namedStores(services)));
  const named = { ...setting, scheme, bucket, ...(alias !== undefined && { credential: alias }) };
  const access = await bucketAccess(services, named);
  const label = labelOf(access.bucket, key);
  return s3Source({
    client: new S3Client(access),
    http: services.http,
    key,
    label,
    version: undefined,
    missing: () =>
      new Failure('object-missing', 'The bucket does not have this object.', {
        subject: label,
        nextStep: 'Check the address in the manifest.'
      })
  });
}

/** The innermost store of the settings that an object lies in, else one in the same bucket. */
function settingFor({ scheme, bucket, key }: ObjectAddress, stores: readonly StoreSetting[]): StoreSetting | undefined {
  const inBucket = stores.flatMap((setting) => {
    const address = parseStoreAddress(setting.url);
    if (address.kind !== 'bucket' || address.scheme !== scheme || address.bucket !== bucket) return [];
    const holds = address.prefix === '' || key.startsWith(`${address.prefix}/`);
    return [{ setting, depth: holds ? address.prefix.length : -1 }];
  });
  return inBucket.toSorted((one, other) => other.depth - one.depth)[0]?.setting;
}
