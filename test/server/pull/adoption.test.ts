import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { modelFromManifest } from '../../../server/operations/models/register-model';
import { planModel } from '../../../server/operations/pull/pull-model';
import { type RawServer, rangeStart, respond, startRawServer } from '../../support/raw-http-server';
import { runCli } from '../../support/run-cli';
import { snapshot } from '../../support/sample-bundle';
import { sampleBytes, sha256 } from '../../support/sample-bytes';
import { temporaryFolder } from '../../support/temporary-folder';
import { cacheEntries, pullManifest, testServices, writeManifest } from '../../support/test-services';

const CONTENT = sampleBytes(9_000_000);
const DIGEST = sha256(CONTENT);
const OTHER = sampleBytes(9_000_000, 2);

/** Serves the content; a first answer that is `cut` stays open. */
async function serve(cut = CONTENT.length): Promise<RawServer> {
  const server = await startRawServer((request, socket) => {
    const start = rangeStart(request);
    const range = { 'Content-Range': `bytes ${start}-${CONTENT.length - 1}/${CONTENT.length}` };
    const headers = { 'Content-Length': CONTENT.length - start, ETag: '"v1"', ...(start > 0 && range) };
    const end = request.count === 1 ? cut : CONTENT.length;
    respond(socket, start > 0 ? 206 : 200, headers, CONTENT.subarray(start, end));
  });
  onTestFinished(() => server.close());
  return server;
}

async function place(path: string, bytes: Uint8Array): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  return path;
}

/** A cache of the hub's tools that holds bytes under the digest of the content. */
async function hubCache(bytes = CONTENT, repository = 'models--owner--repo'): Promise<string> {
  const cache = await temporaryFolder();
  await place(join(cache, repository, 'blobs', DIGEST), bytes);
  return cache;
}

async function wanted(
  server: RawServer,
  fields: { size_bytes?: number; filename?: string } = { size_bytes: 9_000_000 }
) {
  return writeManifest([{ url: `${server.origin}/w`, sha256: DIGEST, ...fields }]);
}

const installed = (root: string, name = 'weights.gguf'): string => join(root, 'models', 'test-model', name);

describe('a content that lies in the cache of the hub’s tools', () => {
  it('is copied instead of transferred, and the cache stays as it was', async () => {
    const server = await serve();
    const cache = await hubCache();
    const before = await snapshot(cache);
    const services = await testServices({ environment: { HF_HUB_CACHE: cache } });
    const { events } = await pullManifest(services, await wanted(server));
    expect(server.requests).toEqual([]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'file_completed', origin: 'adopted' }));
    expect(events.at(-1)).toMatchObject({ type: 'completed', transferredBytes: 0 });
    expect(sha256(await readFile(installed(services.root)))).toBe(DIGEST);
    expect(await snapshot(cache)).toEqual(before);
    const original = await stat(join(cache, 'models--owner--repo', 'blobs', DIGEST));
    expect((await stat(installed(services.root))).ino).not.toBe(original.ino);
    expect((await cacheEntries(services)).filter((path) => path.startsWith('.partial'))).toEqual([]);
  });

  it('is found in any repository, also where its bytes lie in the store that repositories share', async () => {
    const server = await serve();
    const cache = await temporaryFolder();
    const shared = await place(join(cache, 'blobs', 'ab', 'ab'.repeat(32)), CONTENT);
    const blobs = join(cache, 'datasets--somebody--else', 'blobs');
    await mkdir(blobs, { recursive: true });
    await symlink(join('..', '..', 'blobs', 'ab', 'ab'.repeat(32)), join(blobs, DIGEST));
    const before = await snapshot(cache);
    const services = await testServices({ environment: { HF_HUB_CACHE: cache } });
    await pullManifest(services, await wanted(server));
    expect(server.requests).toEqual([]);
    expect(await snapshot(cache)).toEqual(before);
    expect(sha256(await readFile(shared))).toBe(DIGEST);
  });

  it('is not looked for behind a link that leads out of the cache, in a circle, or nowhere', async () => {
    const server = await serve();
    const cache = await temporaryFolder();
    const outside = await place(join(await temporaryFolder(), 'outside'), CONTENT);
    const targets = { out: outside, nowhere: 'gone', circle: DIGEST };
    for (const [repo, target] of Object.entries(targets)) {
      const blobs = join(cache, `models--owner--${repo}`, 'blobs');
      await mkdir(blobs, { recursive: true });
      await symlink(target, join(blobs, DIGEST));
    }
    const services = await testServices({ environment: { HF_HUB_CACHE: cache } });
    await pullManifest(services, await wanted(server));
    expect(server.requests).toHaveLength(1);
  });

  it('is transferred when the file of that name holds other bytes, which is logged', async () => {
    const server = await serve();
    const cache = await hubCache(OTHER);
    const before = await snapshot(cache);
    const services = await testServices({ environment: { HF_HUB_CACHE: cache } });
    const { events } = await pullManifest(services, await wanted(server));
    expect(events).toContainEqual(expect.objectContaining({ type: 'file_completed', origin: 'transferred' }));
    expect(services.logged.join('\n')).toMatch(/candidate passed over .*other content/);
    expect(await snapshot(cache)).toEqual(before);
  });

  it('is transferred when the file of that name is empty, another size, or no file', async () => {
    const server = await serve();
    const cache = await hubCache(Buffer.alloc(0));
    await place(join(cache, 'models--a--b', 'blobs', DIGEST), CONTENT.subarray(1));
    await mkdir(join(cache, 'models--c--d', 'blobs', DIGEST), { recursive: true });
    const services = await testServices({ environment: { HF_HUB_CACHE: cache } });
    await pullManifest(services, await wanted(server));
    expect(sha256(await readFile(installed(services.root)))).toBe(DIGEST);
  });
});

describe('a content that lies in a folder to adopt from', () => {
  it('is found by its size under any name and at any depth', async () => {
    const server = await serve();
    const folder = await temporaryFolder();
    await place(join(folder, 'a', 'same size.bin'), OTHER);
    await place(join(folder, 'b', 'c', 'renamed.bin'), CONTENT);
    const before = await snapshot(folder);
    const services = await testServices({ adoptFrom: [folder] });
    const { events } = await pullManifest(services, await wanted(server));
    expect(server.requests).toEqual([]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'file_completed', origin: 'adopted' }));
    expect(events).toContainEqual(expect.objectContaining({ type: 'file_checking', fileBytes: CONTENT.length }));
    expect(await snapshot(folder)).toEqual(before);
  });

  it('is found by its name when the manifest does not say its size', async () => {
    const server = await serve();
    const folder = await temporaryFolder();
    await place(join(folder, 'weights.gguf'), CONTENT);
    const services = await testServices({ adoptFrom: [folder] });
    await pullManifest(services, await wanted(server, {}));
    expect(server.requests).toEqual([]);
  });

  it('is not found behind links, and not in our own cache', async () => {
    const server = await serve();
    const folder = await temporaryFolder();
    const outside = await temporaryFolder();
    await place(join(outside, 'weights.gguf'), CONTENT);
    await symlink(join(outside, 'weights.gguf'), join(folder, 'weights.gguf'));
    await symlink(outside, join(folder, 'linked'));
    const root = join(folder, 'cache');
    await place(join(root, 'images', 'weights.gguf'), CONTENT);
    const services = await testServices({ root, adoptFrom: [folder] });
    const { events } = await pullManifest(services, await wanted(server));
    expect(events).toContainEqual(expect.objectContaining({ type: 'file_completed', origin: 'transferred' }));
  });

  it('is transferred when the folder does not exist, which is logged', async () => {
    const server = await serve();
    const services = await testServices({ adoptFrom: [join(await temporaryFolder(), 'gone')] });
    await pullManifest(services, await wanted(server));
    expect(services.logged.join('\n')).toContain('folder passed over');
  });

  it('fills up what was received before', async () => {
    const server = await serve(5_000_000);
    const services = await testServices();
    const manifest = await wanted(server);
    await cancelWhen(services, manifest, (event) => event.type === 'file_progress' && event.receivedBytes > 3_000_000);
    const folder = await temporaryFolder();
    await place(join(folder, 'same size.bin'), OTHER);
    await place(join(folder, 'z.bin'), CONTENT);
    const other = await testServices({ root: services.root, adoptFrom: [folder] });
    await pullManifest(other, manifest);
    expect(server.requests).toHaveLength(1);
    expect((await cacheEntries(services)).filter((path) => path.startsWith('.partial'))).toEqual([]);
  });

  it('does not spoil what was received before when it turns out to be another one', async () => {
    const server = await serve(5_000_000);
    const services = await testServices();
    const manifest = await wanted(server);
    await cancelWhen(services, manifest, (event) => event.type === 'file_progress' && event.receivedBytes > 3_000_000);
    const folder = await temporaryFolder();
    await place(join(folder, 'same size.bin'), OTHER);
    await pullManifest(await testServices({ root: services.root, adoptFrom: [folder] }), manifest);
    expect(server.requests.map(rangeStart)).toEqual([0, expect.toSatisfy((start: number) => start > 3_000_000)]);
  });

  it.each([
    ['a guess is hashed', 'file_checking', false],
    ['it is copied', 'file_progress', true]
  ])('is given up while %s when the pull is cancelled', async (_, phase, isNamedByDigest) => {
    const server = await serve();
    const folder = await temporaryFolder();
    await place(
      isNamedByDigest ? join(folder, 'models--owner--repo', 'blobs', DIGEST) : join(folder, 'w.bin'),
      CONTENT
    );
    const before = await snapshot(folder);
    const services = await testServices(
      isNamedByDigest ? { environment: { HF_HUB_CACHE: folder } } : { adoptFrom: [folder] }
    );
    await cancelWhen(services, await wanted(server), ({ type }) => type === phase);
    expect(server.requests).toEqual([]);
    expect(await snapshot(folder)).toEqual(before);
    expect((await cacheEntries(services)).filter((path) => path.startsWith('models'))).toEqual([]);
  });
});

async function cancelWhen(
  services: Awaited<ReturnType<typeof testServices>>,
  manifest: string,
  isTime: (event: Parameters<NonNullable<NonNullable<Parameters<typeof pullManifest>[2]>['onEvent']>>[0]) => boolean
): Promise<void> {
  const controller = new AbortController();
  const pulled = pullManifest(services, manifest, {
    signal: controller.signal,
    onEvent: (event) => isTime(event) && controller.abort()
  });
  await expect(pulled).rejects.toMatchObject({ code: 'cancelled' });
}

describe('the plan of a pull', () => {
  it('names what may be adopted, needs room for it, and hashes nothing', async () => {
    const server = await serve();
    const folder = await temporaryFolder();
    const path = await place(join(folder, 'guess.bin'), OTHER);
    const services = await testServices({ adoptFrom: [folder] });
    const model = await modelFromManifest(await wanted(server));
    const plan = await planModel(services, model, new AbortController().signal);
    expect(plan).toMatchObject({
      missingBytes: 0,
      neededBytes: CONTENT.length,
      files: [{ presence: 'adoptable', candidates: [{ path, bytes: CONTENT.length }] }]
    });
    expect(await cacheEntries(services)).toEqual([]);
  });

  it('is printed by a dry run, with folders given on the command line', async () => {
    const server = await serve();
    const [home, folder] = [await temporaryFolder(), await temporaryFolder()];
    const path = await place(join(folder, 'models', 'guess.bin'), CONTENT);
    const words = ['pull', await wanted(server), '--adopt-from', 'nothing-here', '--adopt-from', 'models'];
    const planned = await runCli([...words, '--dry-run'], { home, folder });
    expect(planned).toMatchObject({ status: 0, out: expect.stringContaining(`if it is the same: ${path}`) });
    const pulled = await runCli(words, { home, folder });
    expect(pulled).toMatchObject({ status: 0, err: expect.stringContaining('copied from this machine') });
    expect(server.requests).toEqual([]);
  });
});
