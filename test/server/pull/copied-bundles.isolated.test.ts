import { once } from 'node:events';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { freeSpace } from '../../../server/operations/clean-up/free-space';
import { dropModel } from '../../../server/operations/models/drop-model';
import { findModel } from '../../../server/operations/models/known-models';
import { modelFromManifest } from '../../../server/operations/models/register-model';
import { planModel } from '../../../server/operations/pull/pull-model';
import type { ServiceOptions, Services } from '../../../server/operations/services';
import { verifyModel } from '../../../server/operations/verify-and-heal/verify-model';
import { systemClock } from '../../../server/platform/clock';
import { relyOn } from '../../../server/store/reliance';
import { respond, startRawServer } from '../../support/raw-http-server';
import { digestOf } from '../../support/sample-bundle';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { cacheEntries, pullManifest, testServices, writeManifest } from '../../support/test-services';

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

/** Two models with one content in common, and what was asked of their server. */
async function twoModels(options: Partial<ServiceOptions> = {}) {
  const server = await startRawServer((_, socket) => respond(socket, 200, { 'Content-Length': 5000 }, CONTENT));
  onTestFinished(() => server.close());
  const file = { url: `${server.origin}/w`, sha256: sha256(CONTENT), size_bytes: 5000 };
  const manifests = await Promise.all(['one', 'two'].map((name) => writeManifest([file], { name })));
  const services = await testServices(options);
  const [one = '', two = ''] = manifests;
  const stored = async () => (await cacheEntries(services)).filter((path) => /^(blobs|models)/.test(path));
  return { services, one, two, stored, requests: server.requests };
}

async function verify(services: Services, name: string) {
  const options = { depth: 'deep', force: true, signal: new AbortController().signal } as const;
  return verifyModel(services, await findModel(services, name), { ...options, onProgress: () => undefined });
}

describe('on a volume that has neither hard links nor reflinks', () => {
  beforeEach(() => void Object.assign(volume, { hardLinks: false, reflinks: false }));

  it('the only copy of a content is the one in the bundle', async () => {
    const { services, one, stored } = await twoModels();
    await pullManifest(services, one);
    expect(await stored()).toEqual(['models/one/manifest.json', 'models/one/weights.gguf']);
    expect(await verify(services, 'one')).toMatchObject({ healthy: true });
  });

  it('a model that is installed is not pulled again, and needs no room', async () => {
    const { services, one, requests } = await twoModels();
    const { folder } = await pullManifest(services, one);
    const before = await stat(folder);
    const plan = await planModel(services, await modelFromManifest(one), new AbortController().signal);
    expect(plan).toMatchObject({ missingBytes: 0, neededBytes: 0, files: [{ presence: 'stored' }] });
    await pullManifest(services, one);
    expect((await stat(folder)).ino).toBe(before.ino);
    expect(requests).toHaveLength(1);
  });

  it('another model takes its content from there, and has it when the first one goes', async () => {
    const { services, one, two, stored, requests } = await twoModels();
    await pullManifest(services, one);
    const plan = await planModel(services, await modelFromManifest(two), new AbortController().signal);
    expect(plan).toMatchObject({ missingBytes: 0, neededBytes: 5000 });
    await pullManifest(services, two);
    await dropModel(services, await findModel(services, 'one'));
    expect(requests).toHaveLength(1);
    expect(await stored()).toEqual(['models/two/manifest.json', 'models/two/weights.gguf']);
    expect(await verify(services, 'two')).toMatchObject({ healthy: true });
  });

  it('what is damaged in the only copy is transferred again', async () => {
    const { services, one, two, requests } = await twoModels();
    const { folder } = await pullManifest(services, one);
    await chmod(join(folder, 'weights.gguf'), 0o644);
    await writeFile(join(folder, 'weights.gguf'), Buffer.alloc(5000));
    await pullManifest(services, two);
    expect(requests).toHaveLength(2);
    expect(await verify(services, 'two')).toMatchObject({ healthy: true });
    expect(await verify(services, 'one')).toMatchObject({ healthy: false });
    await pullManifest(services, one);
    expect(requests).toHaveLength(2);
    expect(await verify(services, 'one')).toMatchObject({ healthy: true });
  });

  it('two pulls at the same time both end with all of it', async () => {
    const { services, one, two, stored } = await twoModels();
    await Promise.all([pullManifest(services, one), pullManifest(services, two)]);
    expect((await stored()).filter((path) => path.startsWith('models'))).toHaveLength(4);
    for (const name of ['one', 'two']) expect(await verify(services, name)).toMatchObject({ healthy: true });
  });

  it('a collection takes nothing that a bundle needs', async () => {
    const { services, one, stored } = await twoModels();
    await pullManifest(services, one);
    expect(await freeSpace(services, false)).toMatchObject({ contents: 0 });
    expect(await stored()).toHaveLength(2);
  });

  it('a collection takes what a bundle has as well, but not while a job relies on it', async () => {
    const { services, one, stored } = await twoModels();
    await pullManifest(services, one);
    const blob = services.layout.blob(digestOf(CONTENT));
    await mkdir(dirname(blob), { recursive: true });
    await writeFile(blob, CONTENT);
    await relyOn(services.layout, { digests: [digestOf(CONTENT)], open: false }, async () => {
      expect(await freeSpace(services, false)).toMatchObject({ contents: 0 });
    });
    expect(await freeSpace(services, true)).toMatchObject({ contents: 1, bytes: 5000 });
    expect(await freeSpace(services, false)).toMatchObject({ contents: 1, bytes: 5000 });
    expect(await stored()).toEqual(['models/one/manifest.json', 'models/one/weights.gguf']);
  });

  it('a collection leaves a content for healing whose copy is known to be damaged', async () => {
    // What was changed a moment ago is not remembered, so it is later now.
    const clock = { ...systemClock, now: () => Date.now() + 60_000 };
    const { services, one, requests } = await twoModels({ clock });
    const { folder } = await pullManifest(services, one);
    const [weights, blob] = [join(folder, 'weights.gguf'), services.layout.blob(digestOf(CONTENT))];
    await mkdir(dirname(blob), { recursive: true });
    await writeFile(blob, CONTENT);
    await chmod(weights, 0o644);
    await writeFile(weights, Buffer.alloc(5000));
    expect(await verify(services, 'one')).toMatchObject({ healthy: false });
    expect(await freeSpace(services, false)).toMatchObject({ contents: 0 });
    await pullManifest(services, one);
    expect(await verify(services, 'one')).toMatchObject({ healthy: true });
    expect(requests).toHaveLength(1);
  });
});

const VAE = sampleBytes(3000, 7);
const NEW_VAE = sampleBytes(3000, 8);

/** One model is installed; another one's pull has found a file of it and waits for its last file. */
async function pullUnderWay() {
  const controller = new AbortController();
  const contents = new Map([
    ['/vae', VAE],
    ['/new-vae', NEW_VAE],
    ['/last', CONTENT]
  ]);
  const server = await startRawServer(async ({ path }, socket) => {
    if (path === '/last' && !controller.signal.aborted) await once(controller.signal, 'abort');
    const bytes = contents.get(path) ?? Buffer.alloc(0);
    respond(socket, 200, { 'Content-Length': bytes.length }, bytes);
  });
  onTestFinished(() => server.close());
  const paths = () => server.requests.map(({ path }) => path);
  const file = (name: string, filename: string) => {
    const bytes = contents.get(`/${name}`) ?? Buffer.alloc(0);
    return { url: `${server.origin}/${name}`, filename, sha256: sha256(bytes), size_bytes: bytes.length };
  };
  const services = await testServices();
  const { folder } = await pullManifest(services, await writeManifest([file('vae', 'vae.gguf')], { name: 'one' }));
  const two = await writeManifest([file('vae', 'vae.gguf'), file('last', 'weights.gguf')], { name: 'two' });
  const pull = pullManifest(services, two);
  pull.catch(() => undefined);
  await expect.poll(paths).toContain('/last');
  const newer = await writeManifest([file('new-vae', 'vae.gguf')], { name: 'one' });
  return { services, two, newer, folder, pull, end: () => controller.abort(), paths };
}

describe('while a pull waits that found a file in another model', () => {
  beforeEach(() => void Object.assign(volume, { hardLinks: false, reflinks: false }));

  it.each<{ what: string; change: (services: Services, newer: string) => Promise<unknown> }>([
    { what: 'updated', change: (services, newer) => pullManifest(services, newer) },
    { what: 'removed', change: async (services) => dropModel(services, await findModel(services, 'one')) }
  ])('that model may be $what, and the file need not come again', async ({ change }) => {
    const { services, newer, pull, end, paths } = await pullUnderWay();
    await change(services, newer);
    end();
    await pull;
    expect(await verify(services, 'two')).toMatchObject({ healthy: true });
    expect(paths().filter((path) => path === '/vae')).toHaveLength(1);
    expect((await cacheEntries(services)).filter((path) => path.startsWith('blobs'))).toEqual([]);
  });

  it('the file may be changed by other programs: nothing wrong is installed, and the next pull fetches it', async () => {
    const { services, two, folder, pull, end } = await pullUnderWay();
    await chmod(join(folder, 'vae.gguf'), 0o644);
    await writeFile(join(folder, 'vae.gguf'), NEW_VAE);
    end();
    await expect(pull).rejects.toMatchObject({ code: 'busy', subject: 'vae.gguf' });
    await pullManifest(services, two);
    expect(await verify(services, 'two')).toMatchObject({ healthy: true });
  });
});
