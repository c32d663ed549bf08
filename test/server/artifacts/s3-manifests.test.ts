import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { environmentCredentials } from '../../../server/pull/http/credentials';
import { FaultProxy } from '../../support/s3/fault-proxy';
import { askS3, createBucket, RADOSGW, type S3Server, s3Server } from '../../support/s3/s3-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(2_000_000);

describe.skipIf(!RADOSGW)('a manifest that names objects of a bucket', () => {
  let server: S3Server;
  let bucket: string;

  beforeAll(async () => {
    server = await s3Server();
    bucket = await createBucket(server);
    await askS3(server, 'PUT', `/${bucket}/weights/tiny.gguf`, { body: CONTENT });
  });

  const manifest = (fields = {}, key = 'weights/tiny.gguf'): Promise<string> =>
    writeManifest([{ url: `s3://${bucket}/${key}`, sha256: sha256(CONTENT) }], fields);

  it('is pulled with the variables of AWS’s own tools', async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const services = await testServices({
      environment: {
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey
      }
    });
    const { folder } = await pullManifest(services, await manifest());
    expect(sha256(await readFile(join(folder, 'weights.gguf')))).toBe(sha256(CONTENT));
  });

  it('is pulled as the settings say of the store that they lie in, with the credential of the manifest', async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const services = await testServices({
      stores: { team: { url: `s3://${bucket}/weights`, endpoint } },
      hostCredentials: environmentCredentials({
        DIFFUSION_DOCK_TOKEN_TEAM: `${accessKeyId}:${secretAccessKey}`,
        DIFFUSION_DOCK_TOKEN_TEAM_ORIGINS: endpoint
      })
    });
    const { folder } = await pullManifest(services, await manifest({ credential_alias: 'team' }));
    expect(sha256(await readFile(join(folder, 'weights.gguf')))).toBe(sha256(CONTENT));
  });

  it.each([
    ['no key', {}, { code: 'credential-missing' }],
    ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'CANARY' }, { code: 'http-status', status: 403 }],
    ['a key that nobody knows', { AWS_ACCESS_KEY_ID: 'CANARY' }, { code: 'http-status', status: 403 }]
  ])('is refused with a sentence for %s, and nothing secret in it', async (_, wrong, failure) => {
    const proxy = await FaultProxy.start(server, () => undefined);
    const { accessKeyId, secretAccessKey } = server;
    const keys = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, ...wrong };
    const services = await testServices({
      environment: {
        HOME: '/nowhere',
        AWS_ENDPOINT_URL_S3: proxy.endpoint,
        ...(failure.code !== 'credential-missing' && keys)
      }
    });
    const pulled = pullManifest(services, await manifest());
    await expect(pulled).rejects.toMatchObject({ ...failure, nextStep: expect.stringMatching(/\S/) });
    const told =
      JSON.stringify(await pulled.catch((error: Error) => [error.message, error])) + services.logged.join('\n');
    expect(told).not.toContain('CANARY');
    expect(told).not.toContain(secretAccessKey);
  });

  it('whose object is missing says so', async () => {
    const { endpoint, accessKeyId, secretAccessKey } = server;
    const services = await testServices({
      environment: {
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey
      }
    });
    await expect(pullManifest(services, await manifest({}, 'weights/other.gguf'))).rejects.toMatchObject({
      code: 'object-missing',
      subject: `s3://${bucket}/weights/other.gguf`
    });
  });

  it('sends no key to another origin than that of the credential', async () => {
    const { accessKeyId, secretAccessKey, endpoint } = server;
    const proxy = await FaultProxy.start(server, () => undefined);
    const services = await testServices({
      stores: { team: { url: `s3://${bucket}`, endpoint: proxy.endpoint } },
      hostCredentials: environmentCredentials({
        DIFFUSION_DOCK_TOKEN_TEAM: `${accessKeyId}:${secretAccessKey}`,
        DIFFUSION_DOCK_TOKEN_TEAM_ORIGINS: endpoint
      })
    });
    await expect(pullManifest(services, await manifest({ credential_alias: 'team' }))).rejects.toMatchObject({
      code: 'credential-missing'
    });
    expect(proxy.requests).toEqual([]);
  });
});
