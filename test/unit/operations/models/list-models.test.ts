import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findModel } from '../../../../server/operations/models/known-models';
import { listModels } from '../../../../server/operations/models/list-models';
import { rememberVerdicts, verifyModel } from '../../../../server/operations/verify-and-heal/verify-model';
import { contentKey, type RegistryEntry } from '../../../../server/registry/registry-state';
import { sourceManifest } from '../../../../shared/manifest/source-manifest';
import { sha256 } from '../../../support/sample-bytes';
import { temporaryFolder } from '../../../support/temporary-folder';
import { testServices } from '../../../support/test-services';

const CONTENT = Buffer.from('weights');
const MANY = 130;

/** A cache with so many installed models, as pulls leave them. */
async function cacheOf(count: number) {
  const services = await testServices();
  const { layout } = services;
  const entries: RegistryEntry[] = [];
  for (let index = 0; index < count; index += 1) {
    const name = `model-${index}`;
    const facts = { sha256: sha256(CONTENT), size_bytes: CONTENT.length };
    const file = { role: 'model', filename: 'weights.gguf', url: 'https://example.com/w.gguf', ...facts };
    const manifest = sourceManifest.parse({ name, files: [file] });
    const folder = join(layout.models, name);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'weights.gguf'), CONTENT);
    const installed = { name, source: '', revision: '', task: '', engine: '', dimensions: 0, installed_at_unix_ms: 1 };
    const files = [{ path: 'weights.gguf', role: 'model', ...facts }];
    await writeFile(
      join(folder, 'manifest.json'),
      JSON.stringify({ ...installed, total_size_bytes: CONTENT.length, files })
    );
    const stamp = { cache_dir: folder, installed_at_unix_ms: 1, cache_size_bytes: CONTENT.length };
    entries.push({
      manifest,
      updated_at_unix_ms: 1,
      installed: { ...stamp, content_key: contentKey(manifest) }
    });
  }
  await services.registry.change(() => entries);
  const file = (index: number) => join(layout.models, `model-${index}`, 'weights.gguf');
  const statuses = async (onLater?: () => void) =>
    (await listModels(services, onLater)).flatMap(({ name, status, reason }) =>
      status === 'installed' ? [] : [`${name} ${status}: ${reason ?? ''}`]
    );
  const verify = async (index: number, depth: 'quick' | 'deep' = 'deep') => {
    const { signal } = new AbortController();
    const model = await findModel(services, `model-${index}`);
    const report = await verifyModel(services, model, { depth, signal, onProgress: () => undefined });
    await rememberVerdicts(services, [report]);
    return report;
  };
  return { services, file, statuses, verify };
}

/** Lists until the look at all bundles that follows the answer found something else, as an editor does. */
async function settled(cache: Awaited<ReturnType<typeof cacheOf>>): Promise<string[]> {
  await new Promise<void>((resolve) => void cache.statuses(resolve));
  return cache.statuses();
}

it('lists every manifest with mistakes, also when they have no name and lie in folders that are called alike', async () => {
  const services = await testServices();
  const folder = await temporaryFolder();
  const paths = ['a', 'b'].map((parent) => join(folder, parent, 'flux', 'manifest.json'));
  for (const path of paths) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '{ "files": [{ "role": "model", "url": "w.gguf", "filename": 7 }] }');
  }
  services.manifestsInView.set(paths);
  const shown = { name: 'flux/manifest.json', status: 'invalid' };
  expect(await listModels(services)).toMatchObject(
    paths.map((path) => ({ ...shown, manifestUri: pathToFileURL(path).href }))
  );
});

describe('a few models', () => {
  it('are looked at before the answer', async () => {
    const cache = await cacheOf(3);
    await writeFile(cache.file(1), 'weight');
    await rm(join(cache.services.layout.models, 'model-2'), { recursive: true });
    expect(await cache.statuses()).toEqual([
      'model-1 unhealthy: weights.gguf has 6 bytes instead of 7.',
      'model-2 missing: The installed files are gone; pull the model again.'
    ]);
  });

  it('are damaged after a deep verification found damage of the right size, also for the next process', async () => {
    const cache = await cacheOf(2);
    await writeFile(cache.file(1), 'WEIGHTS');
    expect(await cache.statuses()).toEqual([]);
    await settle(cache);
    expect((await cache.verify(1)).healthy).toBe(false);
    const damaged = [expect.stringMatching(/^model-1 unhealthy: weights\.gguf is damaged: its SHA-256 is /)];
    expect(await cache.statuses()).toEqual(damaged);
    const next = await testServices({ root: cache.services.layout.root });
    expect(await listModels(next)).toMatchObject([{ status: 'installed' }, { status: 'unhealthy' }]);
    await writeFile(cache.file(1), CONTENT);
    expect(await cache.statuses()).toEqual([]);
  });

  it('are judged by a quick verification with what is remembered, and without reading', async () => {
    const cache = await cacheOf(3);
    await writeFile(cache.file(1), 'WEIGHTS');
    await settle(cache);
    const quick = await Promise.all([0, 1].map((index) => cache.verify(index, 'quick')));
    expect(quick.map(({ files }) => files[0]?.verdict)).toEqual(['unverifiable', 'unverifiable']);
    for (const index of [0, 1]) await cache.verify(index);
    const known = await Promise.all([0, 1, 2].map((index) => cache.verify(index, 'quick')));
    expect(known.map(({ files }) => files[0]?.verdict)).toEqual(['verified', 'corrupt', 'unverifiable']);
    expect(known.map(({ bytes }) => bytes)).toEqual([0, 0, 0]);
  });

  it('say since when every file is known to be right', async () => {
    const cache = await cacheOf(2);
    await settle(cache);
    await cache.verify(0);
    expect(await listModels(cache.services)).toMatchObject([
      { checkedAt: expect.any(Number) },
      expect.not.objectContaining({ checkedAt: expect.anything() })
    ]);
  });
});

/** Has the proofs take the files that were just written for old ones. */
async function settle({ services }: Awaited<ReturnType<typeof cacheOf>>): Promise<void> {
  Object.assign(services.proofs, { now: () => Date.now() + 60_000 });
  await services.proofs.refresh();
}

describe('many models', () => {
  it('are shown as the registry remembers them, without a look at their files', async () => {
    const cache = await cacheOf(MANY);
    await rm(join(cache.services.layout.models, 'model-3', 'manifest.json'));
    await rm(join(cache.services.layout.models, 'model-4'), { recursive: true });
    const models = await listModels(cache.services);
    expect(models).toHaveLength(MANY);
    expect(models.filter(({ status }) => status !== 'installed').map(({ name }) => name)).toEqual(['model-4']);
    expect(models[0]).toMatchObject({ bytes: CONTENT.length, files: [{ present: true }] });
  });

  it('are looked at afterwards, and who asked is told when something is otherwise', async () => {
    const cache = await cacheOf(MANY);
    await rm(cache.file(3));
    expect(await settled(cache)).toEqual(['model-3 unhealthy: weights.gguf is missing.']);
  });

  it('remember the verdict of a deep verification for the next process', async () => {
    const cache = await cacheOf(MANY);
    await writeFile(cache.file(7), 'WEIGHTS');
    await cache.verify(7);
    await cache.verify(8);
    const next = await testServices({ root: cache.services.layout.root });
    const models = new Map((await listModels(next)).map((model) => [model.name, model]));
    expect(models.get('model-7')).toMatchObject({ status: 'unhealthy', reason: expect.stringContaining('SHA-256') });
    expect(models.get('model-8')).toMatchObject({ status: 'installed', checkedAt: expect.any(Number) });
  });

  it('are looked at first where their manifest asks for other files than the registry remembers', async () => {
    const cache = await cacheOf(MANY);
    await cache.services.registry.change((models) =>
      models.map((entry) => {
        if (entry.manifest.name !== 'model-9') return entry;
        const files = entry.manifest.files.map((file) => ({ ...file, size_bytes: 8 }));
        return { ...entry, manifest: { ...entry.manifest, files } };
      })
    );
    expect(await cache.statuses()).toEqual([expect.stringContaining('model-9 outdated')]);
  });
});
