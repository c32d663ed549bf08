import { readFile } from 'node:fs/promises';
import { TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { makeCertificate, OPENSSL } from '../../support/servers/certificates';
import { pullManifest, type TestServices, testServices, writeManifest } from '../../support/test-services';

const CONTENTS = [1, 2, 3].map((seed) => sampleBytes(1000, seed));

/** A site that ends each connection behind its answer, and services that trust it as 127.0.0.1. */
async function setting() {
  const { certificate, privateKey, authority } = await makeCertificate('IP:127.0.0.1');
  const reused: boolean[] = [];
  const server = await startRawServer(
    ({ path }, socket) => {
      if (socket instanceof TLSSocket) reused.push(socket.isSessionReused());
      respond(socket, 200, { 'Content-Length': 1000, Connection: 'close' }, CONTENTS[Number(path.slice(1))]);
      socket.end();
    },
    undefined,
    { cert: await readFile(certificate), key: await readFile(privateKey) }
  );
  onTestFinished(() => server.close());
  return { reused, origin: server.origin, services: await testServices({ caFile: authority }) };
}

async function pullAll(services: TestServices, origin: string): Promise<void> {
  const files = CONTENTS.map((content, index) => {
    return { url: `${origin}/${index}`, filename: `${index}.gguf`, sha256: sha256(content), size_bytes: 1000 };
  });
  await pullManifest(services, await writeManifest(files));
}

describe.skipIf(OPENSSL === undefined)('what was agreed with a host over TLS', () => {
  it('is gone on with by the next connections to it', async () => {
    const { reused, origin, services } = await setting();
    await pullAll(services, origin);
    expect(reused).toEqual([false, true, true]);
  });

  it('counts for no other name of the same server, which its certificate does not prove', async () => {
    const { reused, origin, services } = await setting();
    await pullAll(services, origin);
    reused.length = 0;
    const [content = Buffer.alloc(0)] = CONTENTS;
    const file = { url: `${origin.replace('127.0.0.1', 'localhost')}/0`, size_bytes: content.length };
    await expect(pullManifest(services, await writeManifest([file], { name: 'other' }))).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('belongs to another host')
    });
    expect(reused).toEqual([]);
  });
});
