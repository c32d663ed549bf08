import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { forgetBatch, imagesOfBatch } from '../../../server/operations/batch/finished-batches';
import { listBatches } from '../../../server/operations/batch/list-batches';
import { batchFile, folderStore, machine, run, SMALL } from '../../support/batch/batch-bench';
import { sampleManifest } from '../../support/sample-services';

let samples: string;
let manifest: string;

beforeAll(async () => {
  samples = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  manifest = await sampleManifest({}, samples);
});

afterAll(() => rm(samples, { recursive: true }));

const TWO = { models: ['tiny-sd1'], prompts: ['a cat', 'a dog'], seeds: [1], options: SMALL };

it('remembers the images of a batch that is done until it is cleared from the list, and keeps them then', async () => {
  const here = await machine(manifest);
  const { services } = here;
  const store = await folderStore(services);
  const batch = { job: 'job', store: store.label };
  const { images } = await run(here, { file: await batchFile(TWO), store });
  expect(await imagesOfBatch(services, batch)).toEqual([
    { path: images[0]?.path, prompt: 'a cat' },
    { path: images[1]?.path, prompt: 'a dog' }
  ]);
  await services.images.delete(images[0]?.id ?? '');
  expect((await imagesOfBatch(services, batch)).map(({ prompt }) => prompt)).toEqual(['a dog']);
  await forgetBatch(services, batch);
  expect(await listBatches(services)).toEqual([]);
  expect(await imagesOfBatch(services, batch)).toEqual([]);
  expect((await services.images.get(images[1]?.id ?? '')).path).toBe(images[1]?.path);
});

it('is done although the list of batches cannot be read', async () => {
  const here = await machine(manifest);
  const { services } = here;
  await mkdir(join(services.layout.batchRecords, `${'a'.repeat(32)}.json`), { recursive: true });
  const { images } = await run(here, { file: await batchFile(TWO), store: await folderStore(services) });
  expect(images).toHaveLength(2);
  expect(services.logged.filter((line) => line.startsWith('cannot tidy batches'))).toHaveLength(1);
});

it('does not clear a batch that can be resumed', async () => {
  const here = await machine(manifest);
  const { services } = here;
  const store = await folderStore(services);
  const file = await batchFile(TWO);
  const stopping = new AbortController();
  const onEvent = ({ type }: { readonly type: string }) => type === 'made' && stopping.abort();
  await expect(run(here, { file, store, signal: stopping.signal, onEvent })).rejects.toMatchObject({
    code: 'cancelled'
  });
  await expect(forgetBatch(services, { job: 'job', store: store.label })).rejects.toMatchObject({ code: 'busy' });
  expect(await listBatches(services)).toMatchObject([{ job: 'job', state: 'stopped', done: 1 }]);
});
