import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

// A claim that somebody holds open, as on Windows, or whose folder may not be written to any more.
vi.mock('../../../server/platform/exclusive-files', async (original) => {
  const real = await original<typeof import('../../../server/platform/exclusive-files')>();
  const removeCreatedFile: typeof real.removeCreatedFile = (path) =>
    path.endsWith('.claim')
      ? Promise.reject(Object.assign(new Error('EPERM: refused'), { code: 'EPERM' }))
      : real.removeCreatedFile(path);
  return { ...real, removeCreatedFile };
});

const CONTENT = sampleBytes(1000);

async function pull(status: number): Promise<unknown> {
  const server = await startRawServer((_, socket) => respond(socket, status, { 'Content-Length': 1000 }, CONTENT));
  onTestFinished(() => server.close());
  const file = { url: `${server.origin}/w`, sha256: sha256(CONTENT), size_bytes: 1000 };
  return pullManifest(await testServices(), await writeManifest([file]));
}

describe('a pull whose claim cannot be removed', () => {
  it('is done when its files are there', async () => {
    expect(await pull(200)).toMatchObject({
      events: expect.arrayContaining([expect.objectContaining({ type: 'completed' })])
    });
  });

  it('fails with what was wrong, if anything was', async () => {
    await expect(pull(404)).rejects.toMatchObject({ code: 'http-status', status: 404 });
  });
});
