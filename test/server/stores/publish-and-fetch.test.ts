import { chmod, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { freeSpace } from '../../../server/operations/clean-up/free-space';
import { dropModel } from '../../../server/operations/models/drop-model';
import { findModel } from '../../../server/operations/models/known-models';
import { listModels } from '../../../server/operations/models/list-models';
import { pullModel } from '../../../server/operations/pull/pull-model';
import { listStore } from '../../../server/operations/stores/list-stores';
import { unpublishModel } from '../../../server/operations/stores/unpublish-model';
import { healModel } from '../../../server/operations/verify-and-heal/heal-model';
import { verifyModel } from '../../../server/operations/verify-and-heal/verify-model';
import {
  FILES,
  fetchTiny,
  filesBelow,
  install,
  installedFiles,
  installedManifest,
  member,
  memberWith,
  publish,
  sharedFolder
} from '../../support/artifacts/team';
import { cacheEntries, type TestServices } from '../../support/test-services';

const { signal } = new AbortController();

let store: { readonly url: string; readonly path: string };
let publisher: TestServices;

beforeEach(async () => {
  store = await sharedFolder();
  publisher = await memberWith();
});

/** Names of the attempts of the team's model that lie in the store. */
const attempts = (): Promise<string[]> =>
  readdir(join(store.path, 'tiny')).then(
    (entries) => entries.filter((entry) => /^\d{8}t/.test(entry)),
    () => []
  );

const listed = async (services: TestServices) => (await listStore(services, store.url, signal)).publications;

describe('publishing', () => {
  it('puts exactly the files of the bundle and two manifests into the store', async () => {
    const result = await publish(publisher, store.url);
    const [attempt = ''] = await attempts();
    const files = await filesBelow(join(store.path, 'tiny', attempt));
    expect(Object.keys(files)).toEqual(['diffusion-dock.json', 'first.gguf', 'manifest.json', 'weights.gguf']);
    expect(files).toMatchObject(FILES);
    expect(result).toMatchObject({ model: 'tiny', isUnchanged: false, copiedBytes: 0, uploadedBytes: result.bytes });
    expect(await listed(publisher)).toMatchObject([
      { name: 'tiny', combined: result.combined, bytes: result.bytes, files: 3, isInstalled: true }
    ]);
  });

  it('the same content again changes nothing and sends nothing', async () => {
    const first = await publish(publisher, store.url);
    const before = await filesBelow(store.path);
    const again = await publish(publisher, store.url);
    expect(again).toMatchObject({ combined: first.combined, isUnchanged: true, uploadedBytes: 0, copiedBytes: 0 });
    expect(await filesBelow(store.path)).toEqual(before);
  });

  it('sends only what the store does not have, and copies the rest there', async () => {
    await publish(publisher, store.url);
    await install(publisher, { ...FILES, 'first.gguf': 'a better decoder' });
    const result = await publish(publisher, store.url);
    expect(result.uploadedBytes).toBe('a better decoder'.length);
    expect(result.copiedBytes).toBe(result.bytes - result.uploadedBytes);
    const reader = await member();
    await fetchTiny(reader, store.url);
    expect(await installedFiles(reader)).toEqual({ ...FILES, 'first.gguf': 'a better decoder' });
  });

  it('keeps what was published before, for those who are at fetching it', async () => {
    await publish(publisher, store.url);
    await install(publisher, { ...FILES, 'first.gguf': 'a better decoder' });
    await publish(publisher, store.url);
    expect(await attempts()).toHaveLength(2);
  });

  it('refuses a model that is damaged, and offers to heal it', async () => {
    const path = join(publisher.root, 'models/tiny/weights.gguf');
    await chmod(path, 0o644);
    await writeFile(path, 'Some weights');
    await expect(publish(publisher, store.url)).rejects.toMatchObject({
      code: 'unhealthy-model',
      message: expect.stringContaining('weights.gguf'),
      remedy: { kind: 'heal' }
    });
    expect(await filesBelow(store.path)).toEqual({});
  });

  it('refuses a model with a file of the name that publications need', async () => {
    await install(publisher, { ...FILES, 'Diffusion-Dock.json': '{}' });
    await expect(publish(publisher, store.url)).rejects.toMatchObject({ subject: 'Diffusion-Dock.json' });
  });

  it('tells how far it is, and ends with everything being there', async () => {
    const phases: string[] = [];
    await publish(publisher, store.url, { onProgress: ({ phase }) => phases.push(phase) });
    expect(phases[0]).toBe('checking');
  });

  it('is refused in a workspace that is not trusted', async () => {
    const stranger = { ...publisher, isTrusted: () => false };
    await expect(publish(stranger, store.url)).rejects.toMatchObject({ code: 'untrusted-workspace' });
    await expect(fetchTiny(stranger, store.url)).rejects.toMatchObject({ code: 'untrusted-workspace' });
    expect((await listStore(stranger, store.url, signal)).failure?.code).toBe('untrusted-workspace');
  });
});

describe('fetching', () => {
  it('installs exactly what was published, with its roles, defaults and licence', async () => {
    const { combined } = await publish(publisher, store.url);
    const reader = await member();
    await fetchTiny(reader, store.url);
    expect(await installedFiles(reader)).toEqual(FILES);
    const { installed_at_unix_ms: _, files, ...manifest } = await installedManifest(publisher);
    expect(await installedManifest(reader)).toMatchObject({ ...manifest, files });
    expect(await listModels(reader)).toMatchObject([{ name: 'tiny', status: 'installed' }]);
    expect(await listed(reader)).toMatchObject([{ combined, isInstalled: true }]);
  });

  it('keeps the artifact in a folder of its combined hash, without taking room for it', async () => {
    const { combined } = await publish(publisher, store.url);
    const reader = await member();
    await fetchTiny(reader, store.url);
    const folder = join(reader.root, 'fetched', combined);
    expect(Object.keys(await filesBelow(folder))).toEqual([
      'diffusion-dock.json',
      'first.gguf',
      'manifest.json',
      'weights.gguf'
    ]);
    const [kept, used] = await Promise.all([
      stat(join(folder, 'weights.gguf')),
      stat(join(reader.root, 'models/tiny/weights.gguf'))
    ]);
    expect(kept.ino).toBe(used.ino);
  });

  it('what is here already transfers nothing, and reads no file of the store but the pointer', async () => {
    await publish(publisher, store.url);
    const reader = await member();
    await fetchTiny(reader, store.url);
    const [attempt = ''] = await attempts();
    await rm(join(store.path, 'tiny', attempt), { recursive: true });
    expect(await fetchTiny(reader, store.url)).toMatchObject({ transferredBytes: 0 });
  });

  it('what was fetched and is published again is the same publication', async () => {
    const { combined } = await publish(publisher, store.url);
    const reader = await member();
    await fetchTiny(reader, store.url);
    expect(await publish(reader, store.url)).toMatchObject({ combined, isUnchanged: true });
  });

  it('of a newer publication replaces the older one', async () => {
    await publish(publisher, store.url);
    const reader = await member();
    await fetchTiny(reader, store.url);
    await install(publisher, { 'weights.gguf': 'better weights' });
    await publish(publisher, store.url);
    expect(await listed(reader)).toMatchObject([{ isInstalled: false }]);
    await fetchTiny(reader, store.url);
    expect(await installedFiles(reader)).toEqual({ 'weights.gguf': 'better weights' });
  });

  it('does not replace a model of the name that comes from elsewhere, unless it is told to', async () => {
    await publish(publisher, store.url);
    const reader = await memberWith({ 'weights.gguf': 'my own' });
    await expect(fetchTiny(reader, store.url)).rejects.toMatchObject({ code: 'model-exists', subject: 'tiny' });
    expect(await installedFiles(reader)).toEqual({ 'weights.gguf': 'my own' });
    await fetchTiny(reader, store.url, { replace: true });
    expect(await installedFiles(reader)).toEqual(FILES);
  });

  it('takes a model of the name that asks for the same files as the same model', async () => {
    await publish(publisher, store.url);
    const reader = await memberWith(FILES);
    expect(await fetchTiny(reader, store.url)).toMatchObject({ transferredBytes: 0 });
  });

  it('leaves what was received when it is cancelled, and nothing installed', async () => {
    await publish(publisher, store.url);
    const reader = await member();
    const controller = new AbortController();
    const onEvent = (): void => controller.abort();
    await expect(fetchTiny(reader, store.url, { signal: controller.signal, onEvent })).rejects.toMatchObject({
      code: 'cancelled'
    });
    expect(await installedFiles(reader)).toEqual({});
    await fetchTiny(reader, store.url);
    expect(await installedFiles(reader)).toEqual(FILES);
  });

  it('of what nobody published says so', async () => {
    await expect(fetchTiny(await member(), store.url)).rejects.toMatchObject({
      code: 'not-published',
      subject: expect.stringContaining('tiny')
    });
  });
});

describe('a model that was fetched', () => {
  let reader: TestServices;

  beforeEach(async () => {
    await publish(publisher, store.url);
    reader = await member();
    await fetchTiny(reader, store.url);
  });

  const damage = async (): Promise<void> => {
    const path = join(reader.root, 'models/tiny/weights.gguf');
    await chmod(path, 0o644);
    await writeFile(path, 'Some weights');
  };

  const heal = async () =>
    healModel(reader, await findModel(reader, 'tiny'), {
      signal,
      onProgress: () => undefined,
      onEvent: () => undefined
    });

  it('is verified against what was published', async () => {
    const report = await verifyModel(reader, await findModel(reader, 'tiny'), {
      depth: 'deep',
      signal,
      onProgress: () => undefined
    });
    expect(report.files.map(({ verdict }) => verdict)).toEqual(['verified', 'verified']);
  });

  it('is healed from the store', async () => {
    await damage();
    expect(await heal()).toMatchObject({ healed: ['weights.gguf'], failures: [], report: { healthy: true } });
    expect(await installedFiles(reader)).toEqual(FILES);
  });

  it('is healed from a newer publication where the one that it was fetched from is gone', async () => {
    const [old = ''] = await attempts();
    await install(publisher, { ...FILES, 'first.gguf': 'a better decoder' });
    await publish(publisher, store.url);
    await rm(join(store.path, 'tiny', old), { recursive: true });
    await damage();
    expect(await heal()).toMatchObject({ healed: ['weights.gguf'], report: { healthy: true } });
  });

  it('that the store does not have any more says so, and stays as it is', async () => {
    await unpublishModel(publisher, { name: 'tiny', store: store.url }, { signal });
    await damage();
    await expect(heal()).rejects.toMatchObject({ code: 'not-published' });
  });

  it('can be removed and pulled again by its name', async () => {
    const model = await findModel(reader, 'tiny');
    await dropModel(reader, model);
    await freeSpace(reader, false);
    expect((await cacheEntries(reader)).filter((path) => /^(blobs|fetched)/.test(path))).toEqual([]);
    await pullModel(reader, await findModel(reader, 'tiny'), { signal, onEvent: () => undefined });
    expect(await installedFiles(reader)).toEqual(FILES);
  });

  it('is not touched by a collection, and neither is its artifact', async () => {
    const before = (await cacheEntries(reader)).filter((path) => !path.startsWith('proofs'));
    expect(await freeSpace(reader, false)).toMatchObject({ contents: 0 });
    expect((await cacheEntries(reader)).filter((path) => !path.startsWith('proofs'))).toEqual(before);
  });

  it('that is removed tells beforehand what a collection frees', async () => {
    await dropModel(reader, await findModel(reader, 'tiny'));
    const expected = Object.values(FILES).join('').length;
    expect(await freeSpace(reader, true)).toMatchObject({ contents: 2, bytes: expected });
    expect(await freeSpace(reader, false)).toMatchObject({ contents: 2 });
  });
});

const unpublish = () => unpublishModel(publisher, { name: 'tiny', store: store.url }, { signal });

describe('removing a publication', () => {
  it('removes exactly its files, and nobody finds it any more', async () => {
    await publish(publisher, store.url);
    const [attempt = ''] = await attempts();
    await writeFile(join(store.path, 'tiny', attempt, 'notes.txt'), 'mine');
    expect(await unpublish()).toMatchObject({ wasPublished: true, objects: 4 });
    expect(await filesBelow(join(store.path, 'tiny', attempt))).toEqual({ 'notes.txt': 'mine' });
    expect(await listed(publisher)).toEqual([]);
    await expect(fetchTiny(await member(), store.url)).rejects.toMatchObject({ code: 'not-published' });
    expect(await installedFiles(publisher)).toEqual(FILES);
  });

  it('can be repeated, and be followed by publishing it anew', async () => {
    expect(await unpublish()).toMatchObject({ wasPublished: false, objects: 0 });
    await publish(publisher, store.url);
    await unpublish();
    expect(await unpublish()).toMatchObject({ wasPublished: false, objects: 0 });
    expect(await publish(publisher, store.url)).toMatchObject({ isUnchanged: false });
    const reader = await member();
    await fetchTiny(reader, store.url);
    expect(await installedFiles(reader)).toEqual(FILES);
  });
});
