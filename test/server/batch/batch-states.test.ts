import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { findCheckpoint } from '../../../server/artifacts/checkpoints/find-checkpoint';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { listBatches } from '../../../server/operations/batch/list-batches';
import { runBatch } from '../../../server/operations/batch/run-batch';
import { fetchModel } from '../../../server/operations/stores/fetch-model';
import { publishModel } from '../../../server/operations/stores/publish-model';
import { type BatchResult } from '../../../shared/batch';
import { Failure } from '../../../shared/failure';
import { batchFile, filesBelow, folderStore, imagesOf, machine, run, SMALL } from '../../support/batch/batch-bench';
import { Death, dyingStore } from '../../support/batch/dying-store';
import { expectedImages, halfDone, never, ONE_OF_TWO, partsOf, TWO } from '../../support/batch/half-done';
import { engineScript } from '../../support/engine-script';
import { STAND_IN, startCli } from '../../support/run-cli';
import { sampleManifest } from '../../support/sample-services';
import { makePng } from '../../support/stand-in/testing/plain-png';
import { temporaryFolder } from '../../support/temporary-folder';
import { pullManifest, testServices } from '../../support/test-services';
import { failureOf } from '../../unit/engine/failures';

// Each test runs several engines one after the other.
vi.setConfig({ testTimeout: 90_000 });

let samples: string;
let manifest: string;

beforeAll(async () => {
  samples = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  manifest = await sampleManifest({}, samples);
});

afterAll(() => rm(samples, { recursive: true }));

describe('a batch that was begun', () => {
  it('is neither begun again nor resumed unless that is said, and only one of both', async () => {
    const { here, store, file } = await halfDone(manifest);
    expect(await failureOf(run(here, { file, store }))).toMatchObject({ code: 'checkpoint-exists' });
    const other = await batchFile(TWO, 'other.json');
    expect(await failureOf(run(here, { file: other, store, resume: true }))).toMatchObject({
      code: 'checkpoint-missing'
    });
  });

  it('goes on where the model is not known, which is pulled by what the plan says', async () => {
    const { store, folder, file } = await halfDone(manifest);
    const there = await machine();
    const result = await run(there, { file, store, resume: true });
    expect(result).toMatchObject({ made: 1, reused: 1, items: 2, failed: [] });
    expect(result.events.some((event) => event.type === 'pull' && event.event.type === 'completed')).toBe(true);
    expect(await imagesOf(there, result)).toEqual(await expectedImages(manifest));
    expect(await filesBelow(folder)).toEqual([]);
  });

  it('goes on where a model of a team store is not known, which is fetched from there', async () => {
    const [publisher, here, there] = [await machine(manifest), await machine(), await machine()];
    const team = pathToFileURL(await temporaryFolder()).href;
    const published = { name: 'tiny-sd1', store: team };
    await publishModel(publisher.services, published, { signal: never, onProgress: () => undefined });
    await fetchModel(here.services, published, { signal: never, onEvent: () => undefined });
    const store = await folderStore(here.services);
    const file = await batchFile(TWO);
    await expect(run(here, { file, store: dyingStore(store, ONE_OF_TWO) })).rejects.toBeInstanceOf(Death);
    const result = await run(there, { file, store, resume: true });
    expect(result).toMatchObject({ made: 1, reused: 1 });
    expect(await imagesOf(there, result)).toEqual(await expectedImages(manifest));
  });

  it('goes on where the same files came from a team store', async () => {
    const { here, store, file } = await halfDone(manifest);
    const there = await machine();
    const published = { name: 'tiny-sd1', store: pathToFileURL(await temporaryFolder()).href };
    await publishModel(here.services, published, { signal: never, onProgress: () => undefined });
    await fetchModel(there.services, published, { signal: never, onEvent: () => undefined });
    const result = await run(there, { file, store, resume: true });
    expect(result).toMatchObject({ made: 1, reused: 1 });
    expect(await imagesOf(there, result)).toEqual(await expectedImages(manifest));
  });

  it('draws its seeds once', async () => {
    const content = { models: ['tiny-sd1'], prompts: ['a'], seeds: { count: 2 }, options: SMALL };
    const { here, store, file } = await halfDone(manifest, content);
    const plan = await store.read((await partsOf(store)).plan, { signal: never, limit: 1_000_000 });
    const { seeds } = JSON.parse(Buffer.from(plan?.bytes ?? []).toString()) as { seeds: { combinations: number[] } };
    const { images } = await run(here, { file, store, resume: true });
    expect(images.map(({ seed }) => seed)).toEqual(seeds.combinations);
  });

  it.each([
    ['a prompt', { prompts: ['a dog'] }, 'Entry 1 of “prompts” is not what it was'],
    ['more seeds', { seeds: [1, 2, 3] }, 'The batch began with 2 entries in “seeds”, and now has 3.'],
    ['options', { options: { ...SMALL, steps: 2 } }, 'Entry 1 of “options”'],
    ['seeds that are drawn', { seeds: { count: 2 } }, '“seeds” is not what it was']
  ])('does not go on with %s that is not as it was', async (_, change, sentence) => {
    const { here, store, file } = await halfDone(manifest);
    await writeFile(file, JSON.stringify({ ...TWO, ...change }));
    const failure = await failureOf(run(here, { file, store, resume: true }));
    expect(failure).toMatchObject({ code: 'checkpoint-differs' });
    expect(failure.message).toContain(sentence);
  });

  it('does not go on with an image that is not as it was, or a model that has other files', async () => {
    const content = { ...TWO, options: { steps: 1, init_image: 'in.png', strength: 0.5 } };
    const here = await machine(manifest);
    const store = await folderStore(here.services);
    const file = await batchFile(content);
    const image = join(file, '../in.png');
    await writeFile(image, makePng(64, 64, 3));
    await expect(run(here, { file, store: dyingStore(store, ONE_OF_TWO + 2) })).rejects.toBeInstanceOf(Death);
    const there = await machine();
    await pullManifest(there.services, await otherModel());
    expect(await failureOf(run(there, { file, store, resume: true }))).toMatchObject({
      code: 'checkpoint-differs',
      subject: 'tiny-sd1'
    });
    const original = await readFile(image);
    await writeFile(image, makePng(64, 64, 1));
    expect((await failureOf(run(here, { file, store, resume: true }))).message).toContain('in.png');
    await writeFile(image, original);
    const result = await run(await machine(manifest), { file, store, resume: true });
    expect(result.images).toHaveLength(2);
  });

  it('goes on with a manifest whose defaults are others by now as it began', async () => {
    const { store, file } = await halfDone(manifest, { ...TWO, options: { width: 64, height: 64 } });
    const there = await machine();
    await pullManifest(there.services, await sampleManifest({ defaults: { steps: 9, cfg_scale: 1 } }));
    const result = await run(there, { file, store, resume: true });
    const expected = await expectedImages(manifest, { ...TWO, options: { width: 64, height: 64 } });
    expect(await imagesOf(there, result)).toEqual(expected);
  });
});

/** The sample under the same name, one of whose files is called otherwise. */
async function otherModel(): Promise<string> {
  const path = await sampleManifest();
  const { files, ...fields } = JSON.parse(await readFile(path, 'utf8')) as { files: Record<string, unknown>[] };
  const [first, ...others] = files;
  await writeFile(path, JSON.stringify({ ...fields, files: [{ ...first, filename: 'other-name.gguf' }, ...others] }));
  return path;
}

describe('two runners of one batch', () => {
  it('make one result for each item: who was overtaken stops at its next checkpoint', async () => {
    const [one, other] = [await machine(manifest), await machine(manifest)];
    const folder = await temporaryFolder();
    const store = await folderStore(one.services, folder);
    const file = await batchFile({ ...TWO, seeds: [1, 2, 3] });
    let taken: Promise<BatchResult> | undefined;
    // While the first runner makes its second image, the other one takes over and does all that is left.
    const passing: ObjectStore = {
      ...dyingStore(store),
      put: async (key, content, options) => {
        const isSecond = (await one.engine.runs()).length === 2;
        if (isSecond && !taken) taken = run(other, { file, store, resume: true });
        await taken;
        return store.put(key, content, options);
      }
    };
    const failure = await failureOf(run(one, { file, store: passing }));
    expect(failure).toMatchObject({ code: 'overtaken', subject: 'job' });
    const result = await (taken ?? Promise.reject(new Error('nobody took over')));
    expect(result).toMatchObject({ made: 2, reused: 1, items: 3 });
    expect(await imagesOf(other, result)).toEqual(await expectedImages(manifest, { ...TWO, seeds: [1, 2, 3] }));
    // Only what the overtaken one stored in vain is left.
    expect((await filesBelow(folder)).filter((path) => path.includes('manifest.json'))).toEqual([]);
  });

  it('begin it once', async () => {
    const [one, other] = [await machine(manifest), await machine(manifest)];
    const store = await folderStore(one.services);
    const file = await batchFile(TWO);
    const ends = await Promise.allSettled([run(one, { file, store }), run(other, { file, store })]);
    const codes = ends.map((end) => (end.status === 'fulfilled' ? 'done' : (end.reason as Failure).code));
    expect(codes.toSorted()).toEqual(['checkpoint-exists', 'done']);
  });

  it('in one process are refused', async () => {
    const here = await machine(manifest);
    const store = await folderStore(here.services);
    const file = await batchFile(TWO);
    const ends = await Promise.allSettled([run(here, { file, store }), run(here, { file, store })]);
    const codes = ends.map((end) => (end.status === 'fulfilled' ? 'done' : (end.reason as Failure).code));
    expect(codes.toSorted()).toEqual(['busy', 'done']);
  });
});

describe('an item', () => {
  it('that fails three times is recorded and passed over', async () => {
    const sdCliPath = await engineScript({
      during: `require('node:fs').appendFileSync(__filename + '.calls', process.argv.includes('poison') ? 'p' : '.');
        if (process.argv.includes('poison')) process.exit(1);`
    });
    const services = await testServices({ sdCliPath });
    await pullManifest(services, manifest);
    const file = await batchFile({ ...TWO, prompts: ['a cat', 'poison', 'a dog'], seeds: [1] });
    const store = await folderStore({ hasher: services.hasher });
    const result = await run({ services }, { file, store });
    expect(result).toMatchObject({ made: 2, failed: [{ item: 2, failure: { code: 'engine-failed' } }] });
    expect(await readFile(`${sdCliPath}.calls`, 'utf8')).toBe('.ppp.');
    expect(await listBatches(services)).toMatchObject([{ state: 'done', items: 3, done: 2, failed: 1 }]);
  });

  it('that cannot be made is told before the first image, with its place', async () => {
    const here = await machine(manifest);
    const store = await folderStore(here.services);
    const bad = async (content: unknown): Promise<string> => {
      const file = await batchFile(JSON.stringify(content, null, 2));
      const { message, subject = '' } = await failureOf(run(here, { file, store }));
      return `${subject.slice(file.length)} ${message}`;
    };
    expect(await bad({ ...TWO, models: ['tiny-sd1', 'none'] })).toMatch(/^:4:5 No model is named none/);
    expect(await bad({ ...TWO, options: { sampling_method: 'nono' } })).toMatch(/^:13:24 .*sampling method "nono"/);
    expect(await bad({ ...TWO, prompts: ['a', '<lora:none:1>'] })).toMatch(/^:7:5 .*LoRA that is not there/);
    expect(await bad({ ...TWO, options: { init_image: 'none.png' } })).toMatch(
      /^:12:14 The image none.png cannot be read/
    );
    expect(await bad({ ...TWO, options: { mask: 'in.png' } })).toContain('The image in.png');
    expect(await here.engine.runs()).toEqual([]);
    expect(await findCheckpoint(store, 'job', never)).toBeUndefined();
  });
});

/** Whether file systems may be mounted here: not without privileges, nor in most containers. */
const MAY_MOUNT = (() => {
  const [folder, options] = ['/mnt', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs']];
  if (process.platform !== 'linux' || spawnSync('mount', [...options, folder]).status !== 0) return false;
  return spawnSync('umount', [folder]).status === 0;
})();

describe('a batch', () => {
  it.skipIf(!MAY_MOUNT)('whose store is full stops, counts no attempt, and goes on when there is room', async () => {
    const here = await machine(manifest);
    const folder = join(await temporaryFolder(), 'disk');
    await mkdir(folder);
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=96k', 'tmpfs', folder]);
    onTestFinished(() => void spawnSync('umount', ['-l', folder]));
    const store = await folderStore(here.services, folder);
    const file = await batchFile({ ...TWO, seeds: { from: 1, count: 12 } });
    for (let time = 0; time < 4; time += 1) {
      const failure = await failureOf(run(here, { file, store, resume: time > 0 }));
      expect(failure).toMatchObject({ code: 'disk-full' });
    }
    spawnSync('mount', ['-o', 'remount,size=9m', folder]);
    const result = await run(here, { file, store, resume: true });
    expect(result).toMatchObject({ items: 12, failed: [] });
    expect(result.images).toHaveLength(12);
  });

  it('is listed as it is', async () => {
    const { here, file, store } = await halfDone(manifest);
    expect(await listBatches(here.services)).toMatchObject([{ job: 'job', file, state: 'stopped', items: 2 }]);
    const looks: Promise<unknown>[] = [];
    await run(here, { file, store, resume: true, onEvent: () => void looks.push(listBatches(here.services)) });
    const [seen] = await Promise.all(looks);
    expect(seen).toMatchObject([{ state: 'running', isHere: true, done: 1, current: { item: 2, prompt: 'a cat' } }]);
    expect(await listBatches(here.services)).toMatchObject([{ state: 'done', done: 2, isHere: false }]);
  });

  it('is not run in an untrusted workspace', async () => {
    const services = await testServices({ isTrusted: () => false });
    const params = { file: await batchFile(TWO), resume: false };
    const failure = await failureOf(runBatch(services, params, { signal: never, onEvent: () => undefined }));
    expect(failure).toMatchObject({ code: 'untrusted-workspace' });
  });

  it('of ten thousand items is checked in little memory', async () => {
    const { root } = (await machine(manifest)).services;
    const prompt = 'x'.repeat(700);
    const lines = Array.from({ length: 10_000 }, (_, seed) => `tiny-sd1,"${prompt}",${seed}`);
    const file = await batchFile(['model,prompt,seed', ...lines].join('\n'), 'many.csv');
    const environment = { NODE_OPTIONS: '--max-old-space-size=120', DIFFUSION_DOCK_SD_CLI: STAND_IN };
    const { status, out, err } = await startCli(['batch', file, '--dry-run'], { home: root, environment }).ended;
    expect({ status, out, err }).toMatchObject({ status: 0, err: '' });
    expect(out).toContain('many: 10000 images to make');
  }, 60_000);

  it('exports its images under names that stay, and mends one that is torn', async () => {
    const here = await machine(manifest);
    const [output, file] = [join(await temporaryFolder(), 'out'), await batchFile(TWO)];
    const make = async () => run(here, { file, store: await folderStore(here.services), output });
    const { images } = await make();
    const names = ['1-tiny-sd1-1.png', '2-tiny-sd1-2.png'];
    expect((await filesBelow(output)).toSorted()).toEqual(names.map((name) => join(output, name)));
    await writeFile(join(output, names[0] ?? ''), 'torn');
    await make();
    for (const [index, name] of names.entries()) {
      expect(await readFile(join(output, name))).toEqual(await readFile(images[index]?.path ?? ''));
    }
  });
});
