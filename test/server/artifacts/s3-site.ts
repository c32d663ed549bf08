import type { ObjectStore } from '../../../server/artifacts/object-store';
import { AccessKeys } from '../../../server/artifacts/s3/access-keys';
import type { Bucket } from '../../../server/artifacts/s3/bucket';
import { S3Store, type S3StoreOptions } from '../../../server/artifacts/s3/s3-store';
import { S3_TUNING, type S3Tuning } from '../../../server/artifacts/s3/tuning';
import { createPartHasher } from '../../../server/platform/part-hasher';
import type { S3Server } from '../../support/s3/s3-server';
import { loopbackResolver } from '../../support/shared-network';
import { type TestServices, testServices } from '../../support/test-services';

const MIB = 1024 * 1024;

/** The smallest parts that S3 takes, so that contents of some MiB have several. */
const SMALL_PARTS: S3Tuning = {
  ...S3_TUNING,
  wholeBytes: 5 * MIB,
  partBytes: 5 * MIB,
  copyBytes: 8 * MIB,
  copyPartBytes: 5 * MIB
};

/** What of a store in a bucket may be chosen. */
export interface SiteOptions {
  readonly bucket: string;
  readonly prefix?: string;
  readonly pathStyle?: boolean;
  readonly keys?: AccessKeys;
  readonly services?: TestServices;
}

/** Opens a store in a bucket of a server, or of a proxy in front of it. */
export async function openS3Store(
  server: S3Server,
  { bucket, prefix = 'team/models', pathStyle = true, ...given }: SiteOptions
): Promise<ObjectStore & { readonly services: TestServices }> {
  const services = given.services ?? (await testServices({ resolveHost: loopbackResolver }));
  const options: S3StoreOptions = {
    bucket: bucketOf(server, bucket, pathStyle),
    keys: given.keys ?? keysOf(server),
    http: services.http,
    clock: services.clock,
    log: services.log,
    prefix,
    hasher: services.hasher,
    parts: createPartHasher(services.pool),
    tuning: SMALL_PARTS
  };
  return Object.assign(new S3Store(options), { services });
}

/** The key that the server knows. */
function keysOf({ accessKeyId: id, secretAccessKey: secret }: S3Server): AccessKeys {
  return new AccessKeys('the key of the test', async () => ({ id, secret }), Date.now);
}

function bucketOf(server: S3Server, name: string, pathStyle: boolean): Bucket {
  const endpoint = new URL(server.endpoint);
  // The name that the server knows itself by, without which no bucket can stand before it.
  if (!pathStyle) endpoint.hostname = 'localhost';
  return { scheme: 's3', name, endpoint, region: 'us-east-1', pathStyle, admission: 'named' };
}
