import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore } from '../../../server/artifacts/object-store';
import { publishArtifact } from '../../../server/artifacts/publications/publish-artifact';
import { readPublication } from '../../../server/artifacts/publications/read-publication';
import { runBatch } from '../../../server/operations/batch/run-batch';
import { fetchModel } from '../../../server/operations/stores/fetch-model';
import { fetchResults } from '../../../server/operations/stores/fetch-results';
import { listStore } from '../../../server/operations/stores/list-stores';
import { unpublishModel } from '../../../server/operations/stores/unpublish-model';
import { publishedVersion, publishVersion } from '../../support/artifacts/publications';
import { TINY } from '../../support/artifacts/team';
import {
  batchFile,
  filesBelow,
  folderStore,
  imagesOf,
  type Machine,
  machine,
  run
} from '../../support/batch/batch-bench';
import { Death, dyingStore } from '../../support/batch/dying-store';
import { never, TWO } from '../../support/batch/half-done';
import { engineScript } from '../../support/engine-script';
import { type CliResult, runCli, STAND_IN } from '../../support/run-cli';
import { digestOf } from '../../support/sample-bundle';
import { sampleManifest } from '../../support/sample-services';
import { temporaryFolder } from '../../support/temporary-folder';
import { pullManifest, testServices } from '../../support/test-services';
import { failureOf } from '../../unit/engine/failures';

let samples: string;
let manifest: string;
/** Has no model and no engine: somebody who only looks at what others made. */
let reader: Machine;

beforeAll(async () => {
  samples = await mkdtemp(join(tmpdir(), 'diffusion-dock-test-'));
  manifest = await sampleManifest({}, samples);
});

beforeEach(async () => {
  reader = await machine();
});

afterAll(() => rm(samples, { recursive: true }));

interface Results {
  readonly items: readonly {
    readonly prompt: string;
    readonly file?: string;
    readonly sha256?: string;
    readonly description?: string;
    readonly failure?: unknown;
  }[];
}

/** Fetches results into a folder of the reader's. @param store a folder */
async function fetched(store: string, name = 'job') {
  const folder = join(await temporaryFolder(), 'results');
  const params = { name, store: pathToFileURL(store).href, folder };
  await fetchResults(reader.services, params, { signal: never, onProgress: () => undefined });
  const results = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')) as Results;
  const ids = await Promise.all(
    results.items.map(async ({ file = '' }) => digestOf(await readFile(join(folder, file))))
  );
  return { folder, results, ids, names: await readdir(folder) };
}

/** Only checks a batch. @param store a folder */
async function checked(store: string, words: readonly string[] = [], batch: object = TWO): Promise<CliResult> {
  const { root } = (await machine(manifest)).services;
  const environment = { DIFFUSION_DOCK_SD_CLI: STAND_IN };
  const named = ['--store', pathToFileURL(store).href, '--dry-run', ...words];
  return runCli(['batch', await batchFile(batch), ...named], { home: root, environment });
}

describe('a batch that is only checked', () => {
  it('says that the store can be written, and leaves nothing there', async () => {
    const store = join(await temporaryFolder(), 'team');
    const { status, out, err } = await checked(store, ['--publish']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(out).toContain(`${store}  can be written; results can be published there as job\n`);
    expect((await checked(store)).out).toContain(`${store}  can be written\n`);
    expect(await filesBelow(store)).toEqual([]);
  });

  it('fails where the store cannot be written, and where a model has the name', async () => {
    const taken = join(await temporaryFolder(), 'team');
    await writeFile(taken, 'no folder');
    expect(await checked(taken)).toMatchObject({ status: 1, err: expect.stringContaining(taken) });
    const folder = await temporaryFolder();
    await publishVersion(await folderStore(reader.services, folder), 1);
    const { status, err } = await checked(folder, ['--publish'], { ...TWO, name: TINY });
    expect({ status, err }).toMatchObject({
      status: 2,
      err: expect.stringContaining(`published as ${TINY} is a model`)
    });
  });
});

describe('results of a batch', () => {
  it('are published when it was resumed elsewhere, and are the same bytes on a third machine', async () => {
    const [here, there] = [await machine(manifest), await machine(manifest)];
    const folder = await temporaryFolder();
    const store = await folderStore(here.services, folder);
    const file = await batchFile(TWO);
    const stopping = new AbortController();
    const stopped = run(here, {
      file,
      store,
      publish: true,
      signal: stopping.signal,
      onEvent: ({ type }) => type === 'made' && stopping.abort()
    });
    expect(await failureOf(stopped)).toMatchObject({ code: 'cancelled' });
    expect(await failureOf(fetched(folder))).toMatchObject({ code: 'not-published' });
    const result = await run(there, { file, store, resume: true, publish: true });
    expect(result.published).toMatchObject({ model: 'job', isUnchanged: false });
    const { ids, results, names } = await fetched(folder);
    expect(ids).toEqual(await imagesOf(there, result));
    expect(names.toSorted()).toEqual([
      '1-tiny-sd1-1.json',
      '1-tiny-sd1-1.png',
      '2-tiny-sd1-2.json',
      '2-tiny-sd1-2.png',
      'results.json'
    ]);
    expect(results).toEqual({
      version: 1,
      job: 'job',
      items: [1, 2].map((seed) => ({
        item: seed,
        model: 'tiny-sd1',
        prompt: 'a cat',
        seed,
        options: TWO.options,
        file: `${seed}-tiny-sd1-${seed}.png`,
        sha256: ids[seed - 1],
        description: `${seed}-tiny-sd1-${seed}.json`
      }))
    });
  });

  it('are whole, and the checkpoint gone, once the batch was resumed, whenever its runner died at publishing', async () => {
    const here = await machine(manifest);
    const file = await batchFile(TWO);
    const allMade = await temporaryFolder();
    const unpublishable = unwritable(await folderStore(here.services, allMade), /_dock\/index\.json$/);
    await expect(run(here, { file, store: unpublishable, publish: true })).rejects.toBeInstanceOf(Death);
    const copied = async () => {
      const folder = await temporaryFolder();
      await cp(allMade, folder, { recursive: true });
      return { folder, store: await folderStore(here.services, folder) };
    };
    const counted = dyingStore((await copied()).store);
    const expected = await imagesOf(here, await run(here, { file, store: counted, resume: true, publish: true }));
    expect(expected).toHaveLength(2);
    const unchanged = new Set<boolean | undefined>();
    for (let at = 1; at <= counted.calls; at += 1) {
      const { folder, store } = await copied();
      const moment = at % 2 === 0 ? 'before' : 'after';
      const dead = run(here, { file, store: dyingStore(store, at, moment), resume: true, publish: true });
      await expect(dead).rejects.toBeInstanceOf(Death);
      if ((await filesBelow(join(folder, 'job', '_resume'))).length > 0) {
        const { published } = await run(here, { file, store, resume: true, publish: true });
        unchanged.add(published?.isUnchanged);
      }
      expect((await fetched(folder)).ids, `after call ${at}`).toEqual(expected);
      expect(await filesBelow(join(folder, 'job', '_resume')), `after call ${at}`).toEqual([]);
    }
    // Deaths before the publication, between it and the end of the checkpoint, and after that.
    expect(unchanged).toEqual(new Set([false, true, undefined]));
    expect(await here.engine.runs()).toHaveLength(2);
  }, 180_000);

  it('say of an item that was passed over why', async () => {
    const sdCliPath = await engineScript({ during: `if (process.argv.includes('poison')) process.exit(1);` });
    const services = await testServices({ sdCliPath });
    await pullManifest(services, manifest);
    const folder = await temporaryFolder();
    const file = await batchFile({ ...TWO, prompts: ['poison', 'a dog'], seeds: [1] });
    await run({ services }, { file, store: await folderStore(services, folder), publish: true });
    const target = { name: 'job', store: pathToFileURL(folder).href, folder: await temporaryFolder() };
    await fetchResults(reader.services, target, { signal: never, onProgress: () => undefined });
    const text = await readFile(join(target.folder, 'results.json'), 'utf8');
    expect((JSON.parse(text) as Results).items).toMatchObject([
      { prompt: 'poison', failure: { code: 'engine-failed', message: expect.any(String) } },
      { prompt: 'a dog', file: '2-tiny-sd1-1.png' }
    ]);
  });

  it('are refused before the first image where a model is published under the name, and leave it alone', async () => {
    const here = await machine(manifest);
    const store = await folderStore(here.services);
    await publishVersion(store, 1);
    const file = await batchFile(TWO, 'tiny.json');
    expect(await failureOf(run(here, { file, store, publish: true }))).toMatchObject({
      code: 'bad-request',
      message: 'What is published as tiny is a model; the results of a batch do not replace it.'
    });
    expect(await here.engine.runs()).toEqual([]);
    expect(await publishedVersion(store)).toBe(1);
  });

  it('do not replace a model that was published meanwhile; the batch can be resumed once it is gone', async () => {
    const here = await machine(manifest);
    const folder = await temporaryFolder();
    const store = await folderStore(here.services, folder);
    const file = await batchFile(TWO, 'tiny.json');
    const racing = racingStore(store, () => publishVersion(store, 1));
    expect(await failureOf(run(here, { file, store: racing, publish: true }))).toMatchObject({ code: 'bad-request' });
    expect(await publishedVersion(store)).toBe(1);
    await unpublishModel(here.services, { name: 'tiny', store: pathToFileURL(folder).href }, { signal: never });
    const result = await run(here, { file, store, resume: true, publish: true });
    expect(result).toMatchObject({ made: 0, reused: 2, published: { isUnchanged: false } });
    expect((await fetched(folder, 'tiny')).ids).toEqual(await imagesOf(here, result));
  });

  it('are not replaced by a model, and not installed as one', async () => {
    const here = await machine(manifest);
    const folder = await temporaryFolder();
    const store = await folderStore(here.services, folder);
    await run(here, { file: await batchFile(TWO, 'tiny.json'), store, publish: true });
    const { ids } = await fetched(folder, 'tiny');
    expect(await failureOf(publishVersion(store, 1))).toMatchObject({ code: 'bad-request' });
    const url = pathToFileURL(folder).href;
    const options = { signal: never, onEvent: () => undefined };
    expect(await failureOf(fetchModel(reader.services, { name: 'tiny', store: url }, options))).toMatchObject({
      code: 'bad-request',
      nextStep: expect.stringContaining('--output DIR')
    });
    expect((await listStore(reader.services, url, never)).publications).toMatchObject([
      { name: 'tiny', holds: 'results', isInstalled: false }
    ]);
    expect((await fetched(folder, 'tiny')).ids).toEqual(ids);
  });

  it('need a store that is named, and a name that a publication can have', async () => {
    const here = await machine(manifest);
    const options = { signal: never, onEvent: () => undefined };
    const file = await batchFile(TWO);
    const nowhere = runBatch(here.services, { file, resume: false, publish: true }, options);
    expect(await failureOf(nowhere)).toMatchObject({ code: 'wrong-usage' });
    const store = await folderStore(here.services);
    const spaced = await batchFile(TWO, 'my job.json');
    expect(await failureOf(run(here, { file: spaced, store, publish: true }))).toMatchObject({
      code: 'bad-request',
      message: expect.stringContaining('“my job” may hold only letters')
    });
    expect(await here.engine.runs()).toEqual([]);
  });

  it('on the command line go to a team store, and from there to a folder of another machine', async () => {
    const { engine } = await machine();
    const [home, other] = [await temporaryFolder(), await temporaryFolder()];
    const store = pathToFileURL(await temporaryFolder()).href;
    expect((await runCli(['pull', manifest], { home })).status).toBe(0);
    const environment = { DIFFUSION_DOCK_SD_CLI: engine.path };
    const words = ['batch', await batchFile(TWO), '--store', store, '--publish'];
    const batch = await runCli(words, { home, environment });
    expect(batch).toMatchObject({ status: 0, err: expect.stringContaining('results published as job in ') });
    expect((await runCli(['store', 'list', store], { home: other })).out).toMatch(/ {2}job {2}results, .* in 5 files/);
    const folder = join(await temporaryFolder(), 'out');
    const fetch = await runCli(['fetch', 'job', '--store', store, '--output', folder], { home: other });
    expect(fetch).toMatchObject({ status: 0, out: expect.stringMatching(/^job: 5 files, .*, in /) });
    const images = await Promise.all(
      batch.out
        .trim()
        .split('\n')
        .map((path) => readFile(path))
    );
    expect(await readFile(join(folder, '1-tiny-sd1-1.png'))).toEqual(images[0]);
    expect(await readFile(join(folder, '2-tiny-sd1-2.png'))).toEqual(images[1]);
  });
});

describe('published results that are not what they should be', () => {
  const names = ['Makefile', 'settings.json', 'inner/1-a-1.png', '1-a-1.sh', '1-a-1.png.exe', 'package.json'];

  it.each(names)('as a file called %s write nothing', async (name) => {
    const folder = await temporaryFolder();
    await publishResultsOf(await folderStore(reader.services, folder), ['1-a-1.png', name]);
    const target = join(await temporaryFolder(), 'results');
    const params = { name: 'tiny', store: pathToFileURL(folder).href, folder: target };
    expect(await failureOf(fetchResults(reader.services, params, quiet))).toMatchObject({
      code: 'bad-publication',
      subject: expect.stringContaining(name)
    });
    expect(await filesBelow(target)).toEqual([]);
  });

  it('as another content end with its key, and the list of the results is not written', async () => {
    const folder = await temporaryFolder();
    const store = await folderStore(reader.services, folder);
    await publishResultsOf(store, ['1-a-1.png', '2-a-2.png', 'results.json']);
    const { pointer } = await readPublication(store, TINY, { signal: never });
    await writeFile(join(folder, 'tiny', pointer.attempt, '2-a-2.png'), 'something else');
    const target = await temporaryFolder();
    await writeFile(join(target, '1-a-1.png'), 'from before');
    const params = { name: 'tiny', store: pathToFileURL(folder).href, folder: target };
    expect(await failureOf(fetchResults(reader.services, params, quiet))).toMatchObject({
      code: 'bad-publication',
      subject: expect.stringContaining('2-a-2.png')
    });
    expect(await readdir(target)).toEqual(['1-a-1.png']);
    expect(await readFile(join(target, '1-a-1.png'), 'utf8')).toBe('content of 1-a-1.png');
  });

  it('as a model are not written into a folder', async () => {
    const folder = await temporaryFolder();
    await publishVersion(await folderStore(reader.services, folder), 1);
    const target = await temporaryFolder();
    const params = { name: 'tiny', store: pathToFileURL(folder).href, folder: target };
    expect(await failureOf(fetchResults(reader.services, params, quiet))).toMatchObject({ code: 'bad-request' });
    expect(await readdir(target)).toEqual([]);
  });
});

const quiet = { signal: never, onProgress: () => undefined };

/** Publishes files as results, whatever they are called. */
async function publishResultsOf(store: ObjectStore, names: readonly string[]): Promise<void> {
  const contents = names.map((name) => {
    const bytes = Buffer.from(`content of ${name}`);
    return { name, digest: digestOf(bytes), bytes: bytes.length, content: { kind: 'bytes', bytes } } as const;
  });
  await publishArtifact(store, TINY, contents, {
    holds: 'results',
    now: Date.now,
    log: reader.services.log,
    signal: never,
    onProgress: () => undefined
  });
}

/** A store in which somebody else publishes right before the manifest of an attempt is put. */
function racingStore(store: ObjectStore, publish: () => Promise<unknown>): ObjectStore {
  const racing = dyingStore(store);
  return {
    ...racing,
    label: store.label,
    put: async (key, content, options) => {
      if (/^tiny\/\d.*manifest\.json$/.test(key)) await publish();
      return store.put(key, content, options);
    }
  };
}

/** A store whose user dies at the first change of a document. */
function unwritable(store: ObjectStore, document: RegExp): ObjectStore {
  return {
    ...dyingStore(store),
    swapDocument: (key, ...rest) =>
      document.test(key) ? Promise.reject(new Death()) : store.swapDocument(key, ...rest)
  };
}
