import { describe } from 'vitest';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { storeConformance } from '../../support/artifacts/store-conformance';
import { createBucket, RADOSGW, s3Server } from '../../support/s3/s3-server';
import { openS3Store } from './s3-site';

describe.skipIf(!RADOSGW)('with Ceph', () => {
  for (const pathStyle of [true, false]) {
    storeConformance(`a store in a bucket that stands in the ${pathStyle ? 'path' : 'name of the host'}`, async () => {
      const server = await s3Server();
      const bucket = await createBucket(server);
      const opened = await openS3Store(server, { bucket, pathStyle });
      const again = await openS3Store(server, { bucket, pathStyle });
      const stores = [opened, again].values();
      return { open: () => stores.next().value ?? again, leftovers: () => unfinishedUploads(again) };
    });
  }
});

async function unfinishedUploads(store: ObjectStore): Promise<readonly string[]> {
  const ended = await store.endUploads?.(Number.MAX_SAFE_INTEGER, new AbortController().signal);
  return Array.from({ length: ended ?? 0 }, () => 'an unfinished upload');
}
