import { describe, expect, it } from 'vitest';
import { collectStore } from '../../../server/operations/stores/collect-store';
import { listStore } from '../../../server/operations/stores/list-stores';
import { unpublishModel } from '../../../server/operations/stores/unpublish-model';
import { crashConformance } from '../../support/artifacts/crash-conformance';
import { FILES, fetchTiny, install, installedFiles, member, publish } from '../../support/artifacts/team';
import { createBucket, RADOSGW, s3Server } from '../../support/s3/s3-server';
import { openS3Store } from './s3-site';

const { signal } = new AbortController();

describe.skipIf(!RADOSGW)('with Ceph', () => {
  const buckets = new Map<string, Promise<string>>();
  let stores = 0;

  // Folders and memory show every moment; in a bucket each takes long.
  const some = { moments: ['after'], stride: 2 } as const;
  const make = async () => {
    const server = await s3Server();
    const bucket = buckets.get(server.endpoint) ?? createBucket(server);
    buckets.set(server.endpoint, bucket);
    stores += 1;
    const prefix = `team/${stores}`;
    const store = await openS3Store(server, { bucket: await bucket, prefix });
    return { open: () => store };
  };
  crashConformance('publications in a bucket', make, some);

  it('a model is published to a bucket, fetched from there, and taken back', { timeout: 120_000 }, async () => {
    const server = await s3Server();
    const url = `s3://${await createBucket(server)}/models`;
    const options = {
      stores: { team: { url, endpoint: server.endpoint, pathStyle: true } },
      environment: {
        AWS_ACCESS_KEY_ID: server.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
        AWS_REGION: 'us-east-1'
      }
    };
    const publisher = await member(options);
    await install(publisher, FILES);
    const { combined } = await publish(publisher, 'team');
    expect(await publish(publisher, 'team')).toMatchObject({ combined, isUnchanged: true });
    await install(publisher, { ...FILES, 'first.gguf': 'a better decoder' });
    expect(await publish(publisher, 'team')).toMatchObject({ uploadedBytes: 'a better decoder'.length });
    const reader = await member(options);
    const fetched = await fetchTiny(reader, 'team');
    expect(await installedFiles(reader)).toEqual({ ...FILES, 'first.gguf': 'a better decoder' });
    expect(fetched.transferredBytes).toBe(fetched.bytes);
    expect(await fetchTiny(reader, 'team')).toMatchObject({ transferredBytes: 0 });
    expect((await listStore(reader, 'team', signal)).publications).toMatchObject([{ name: 'tiny', isInstalled: true }]);
    expect(await collectStore(reader, 'team', { dryRun: false, signal })).toMatchObject({ attempts: [], recent: 1 });
    await unpublishModel(reader, { name: 'tiny', store: 'team' }, { signal });
    await expect(fetchTiny(await member(options), 'team')).rejects.toMatchObject({ code: 'not-published' });
  });
});
