import { describe, expect, it, onTestFinished } from 'vitest';
import { modelFromManifest } from '../../../server/operations/models/register-model';
import { planModel } from '../../../server/operations/pull/pull-model';
import { type RawAnswer, type RawServer, respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import {
  cacheEntries,
  pullManifest,
  type TestFile,
  type TestServices,
  testServices,
  writeManifest
} from '../../support/test-services';

const CONTENT = sampleBytes(5000);
const DIGEST = sha256(CONTENT);
const signal = new AbortController().signal;

async function serve(answerHead?: RawAnswer): Promise<RawServer> {
  const server = await startRawServer(
    (_, socket) => respond(socket, 200, { 'Content-Length': 5000 }, CONTENT),
    answerHead
  );
  onTestFinished(() => server.close());
  return server;
}

async function planOf(services: TestServices, files: readonly TestFile[]) {
  return planModel(services, await modelFromManifest(await writeManifest(files)), signal);
}

describe('the plan of a pull', () => {
  it('asks for the sizes that the manifest does not say, and transfers nothing', async () => {
    const server = await serve((_, socket) => respond(socket, 200, { 'Content-Length': 5000 }));
    const services = await testServices();
    const plan = await planOf(services, [{ url: `${server.origin}/w` }]);
    expect(plan).toMatchObject({ totalBytes: 5000, missingBytes: 5000, files: [{ presence: 'absent', digest: null }] });
    expect(server.requests).toEqual([]);
    expect(await cacheEntries(services)).toEqual([]);
  });

  it('asks nobody when the manifest says everything', async () => {
    let asked = 0;
    const server = await serve((_, socket) => {
      asked += 1;
      respond(socket, 200, { 'Content-Length': 5000 });
    });
    const services = await testServices();
    await planOf(services, [{ url: `${server.origin}/w`, sha256: DIGEST, size_bytes: 5000 }]);
    expect(asked).toBe(0);
  });

  it('does not rely on the length that a server gives to HEAD', async () => {
    const server = await serve((_, socket) => respond(socket, 200, { 'Content-Length': 0 }));
    const services = await testServices();
    await expect(pullManifest(services, await writeManifest([{ url: `${server.origin}/w` }]))).resolves.toBeDefined();
  });

  it('takes size and digest of a large file from the hub, not from where the hub redirects to', async () => {
    const storage = await serve((_, socket) => respond(socket, 200, { 'Content-Length': 7, 'X-Linked-Size': 8 }));
    const hub = await serve((_, socket) =>
      respond(socket, 302, {
        Location: `${storage.origin}/blob`,
        'X-Linked-Size': 5000,
        'X-Linked-Etag': `"${DIGEST}"`,
        'Content-Length': 0
      })
    );
    const services = await testServices({ environment: { HF_ENDPOINT: hub.origin } });
    const plan = await planOf(services, [{ url: 'hf:owner/repo/file.gguf' }]);
    expect(plan).toMatchObject({ totalBytes: 5000, files: [{ digest: DIGEST }] });
  });

  it('knows what is here already and what remains', async () => {
    const server = await serve();
    const services = await testServices();
    const known = { url: `${server.origin}/w`, sha256: DIGEST, size_bytes: 5000 };
    await pullManifest(services, await writeManifest([known]));
    const other = {
      url: `${server.origin}/x`,
      filename: 'other.gguf',
      sha256: sha256(Buffer.from('x')),
      size_bytes: 30
    };
    const plan = await planOf(services, [known, other]);
    expect(plan).toMatchObject({
      totalBytes: 5030,
      missingBytes: 30,
      files: [{ presence: 'stored' }, { presence: 'absent' }]
    });
  });

  it('fails at once when a file is certainly not there', async () => {
    const server = await serve((_, socket) => respond(socket, 404, { 'Content-Length': 0 }));
    const services = await testServices();
    const files = [
      { url: `${server.origin}/there`, sha256: DIGEST, size_bytes: 5000 },
      { url: `${server.origin}/gone`, filename: 'gone.gguf' }
    ];
    await expect(pullManifest(services, await writeManifest(files))).rejects.toMatchObject({ code: 'http-status' });
    expect(server.requests).toEqual([]);
  });

  it.each([405, 403, 500])('leaves a size open when HEAD is answered with %d', async (status) => {
    const server = await serve((_, socket) => respond(socket, status, { 'Content-Length': 0 }));
    const plan = await planOf(await testServices(), [{ url: `${server.origin}/w` }]);
    expect(plan).toMatchObject({ totalBytes: null, missingBytes: 0 });
  });
});

describe('the disk', () => {
  it('that is too small is told before the first byte', async () => {
    const server = await serve();
    const services = await testServices();
    const manifest = await writeManifest([{ url: `${server.origin}/w`, size_bytes: 2 ** 52 }]);
    await expect(pullManifest(services, manifest)).rejects.toMatchObject({
      code: 'disk-full',
      message: expect.stringContaining('needs 4504 TB')
    });
    expect(server.requests).toEqual([]);
  });
});
