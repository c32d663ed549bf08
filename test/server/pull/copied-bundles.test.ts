import { expect, it, onTestFinished, vi } from 'vitest';
import { planModel } from '../../../server/operations/pull-model';
import { modelFromManifest } from '../../../server/operations/register-model';
import { respond, startRawServer } from '../../support/raw-http-server';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { pullManifest, testServices, writeManifest } from '../../support/test-services';

const refuse = (): Promise<never> => Promise.reject(Object.assign(new Error('EPERM: refused'), { code: 'EPERM' }));
const volume = vi.hoisted(() => ({ hardLinks: false, reflinks: false }));

// A volume such as exFAT, which has neither hard links nor reflinks; everything else is the real file system.
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const link: typeof real.link = (...words) => (volume.hardLinks ? real.link(...words) : refuse());
  const copyFile: typeof real.copyFile = async (from, to, mode) => {
    if (mode !== real.constants.COPYFILE_FICLONE_FORCE) return real.copyFile(from, to, mode);
    return volume.reflinks ? real.copyFile(from, to) : refuse();
  };
  return { ...real, link, copyFile };
});

const GIB = 1024 ** 3;
const CONTENT = sampleBytes(5000);

it.each([
  { hardLinks: true, reflinks: false, copies: 1 },
  { hardLinks: false, reflinks: true, copies: 1 },
  { hardLinks: false, reflinks: false, copies: 2 }
])(
  'with hard links: $hardLinks, reflinks: $reflinks, a pull needs room for $copies',
  async ({ copies, ...abilities }) => {
    const server = await startRawServer((_, socket) => respond(socket, 200, { 'Content-Length': 5000 }, CONTENT));
    onTestFinished(() => server.close());
    let free = GIB + 5000 * copies - 1;
    const services = await testServices({ freeBytes: async () => free });
    const manifest = await writeManifest([{ url: `${server.origin}/w`, sha256: sha256(CONTENT), size_bytes: 5000 }]);
    Object.assign(volume, abilities);
    await expect(pullManifest(services, manifest)).rejects.toMatchObject({ code: 'disk-full' });
    const plan = await planModel(services, await modelFromManifest(manifest), new AbortController().signal);
    expect(plan.neededBytes).toBe(5000 * copies);
    free += 1;
    await pullManifest(services, manifest);
  }
);
