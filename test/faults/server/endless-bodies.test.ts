import { describe, expect, it, onTestFinished } from 'vitest';
import { startFaultServer } from '../../support/fault-server';
import { cacheEntries, pullManifest, testServices, writeManifest } from '../../support/test-services';
import { CONTENT, DIGEST, failureText } from './fault-run';

const GIB = 1024 ** 3;

describe('S12 a server that never ends a body whose size nobody tells', () => {
  it('is left before the disk is full; and nothing remains', async () => {
    const server = await startFaultServer({
      content: CONTENT,
      fault: (answer) => ({
        ...answer,
        headers: { 'Transfer-Encoding': 'chunked' },
        wire: [],
        ending: 'flood'
      })
    });
    onTestFinished(() => server.close());
    // Asked for the plan, at the beginning, and then every 16 MiB: 144 MiB come in.
    let asked = 0;
    const freeBytes = async (): Promise<number> => (++asked <= 10 ? 5 * GIB : GIB / 2);
    const services = await testServices({ freeBytes });
    const manifest = await writeManifest([{ url: `${server.origin}/weights.gguf`, sha256: DIGEST }]);
    const failure = await pullManifest(services, manifest).catch((error: unknown) => error);
    expect(failureText(failure, server.origin, services.root)).toEqual([
      'disk-full',
      'The pull leaves 1 GiB to spare; 537 MB are free.',
      'CACHE/.partial',
      'Free some space, or move the cache to another disk.'
    ]);
    expect(await cacheEntries(services)).toEqual([]);
    await server.abandoned();
  });
});
