import { once } from 'node:events';
import { chmod, link, lstat, mkdir, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHasher } from '../../../server/platform/hasher';
import { BlobStore } from '../../../server/store/blob-store';
import { BundleStore } from '../../../server/store/bundle-store';
import { CacheLayout } from '../../../server/store/cache-layout';
import { collectBlobs } from '../../../server/store/collect-blobs';
import { Proofs } from '../../../server/store/proofs';
import { recover } from '../../../server/store/recovery';
import { relyOn } from '../../../server/store/reliance';
import type { Digest } from '../../../shared/digest';
import { workerPool } from '../../support/built-worker';
import {
  digestOf,
  leftovers,
  SAMPLE,
  sampleBundle,
  sampleFiles,
  versionIn,
  writeBlobs
} from '../../support/sample-bundle';
import { temporaryFolder } from '../../support/temporary-folder';

const OTHER = Buffer.from('nobody uses this');
const DIGEST = digestOf(OTHER);

let layout: CacheLayout;
let bundles: BundleStore;
let blobs: BlobStore;

beforeEach(async () => {
  layout = new CacheLayout(await temporaryFolder());
  const proofs = new Proofs(layout.proofs);
  const hasher = createHasher(workerPool());
  bundles = new BundleStore(layout, hasher, proofs);
  blobs = new BlobStore(layout, hasher, proofs);
  await writeBlobs(layout, 3);
  await store(OTHER);
});

async function store(bytes: Buffer): Promise<void> {
  const path = layout.blob(digestOf(bytes));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  await chmod(path, 0o444);
}

async function install(): Promise<void> {
  const { contents, manifest } = sampleBundle(layout, 3);
  await bundles.install(SAMPLE, contents, manifest);
}

const none = async (): Promise<ReadonlySet<Digest>> => new Set<Digest>();
const collect = (dryRun = false, alsoUsed = none) => collectBlobs(layout, { dryRun, alsoUsed });

async function stored(): Promise<string[]> {
  const folders = await readdir(layout.blobs);
  return (await Promise.all(folders.map((folder) => readdir(join(layout.blobs, folder))))).flat().toSorted();
}

const used = [...sampleFiles(3).values()].map(digestOf).toSorted();

describe('a collection', () => {
  it('removes what no bundle lists, and says how many bytes', async () => {
    await install();
    expect(await collect()).toEqual({ digests: [DIGEST], bytes: OTHER.length, isPutOff: false });
    expect(await stored()).toEqual(used);
    expect(await readdir(layout.garbage)).toEqual([]);
    expect(await versionIn(layout.model(SAMPLE))).toBe(3);
  });

  it('changes nothing when it is only asked what it would do', async () => {
    await install();
    expect(await collect(true)).toEqual({ digests: [DIGEST], bytes: OTHER.length, isPutOff: false });
    expect(await stored()).toEqual([...used, DIGEST].toSorted());
  });

  it('goes by manifests, whatever link counts say', async () => {
    await install();
    await link(layout.blob(DIGEST), join(layout.root, 'another name'));
    expect(await collect()).toMatchObject({ digests: [DIGEST], bytes: 0 });
    expect(await stored()).toEqual(used);
  });

  it('removes the contents of a dropped model, and everything where nothing is installed', async () => {
    await install();
    await bundles.drop(SAMPLE);
    await collect();
    expect(await stored()).toEqual([]);
  });

  it('keeps what a job relies on, and everything while one has contents that nobody can name', async () => {
    await relyOn(layout, { digests: [DIGEST], open: false }, async () => {
      await collect();
      expect(await stored()).toEqual([DIGEST]);
    });
    await relyOn(layout, { digests: [], open: true }, async () => {
      expect(await collect()).toMatchObject({ digests: [], isPutOff: true });
    });
    expect(await leftovers(layout)).toEqual([]);
    await collect();
    expect(await stored()).toEqual([]);
  });

  it('keeps what a job on another host relies on, but not for ever', async () => {
    await mkdir(layout.operations, { recursive: true });
    const owner = { host: 'elsewhere', bootId: 'b', pid: 1, startTime: '1' };
    const record = join(layout.operations, 'foreign.json');
    await writeFile(record, JSON.stringify({ kind: 'rely', owner, digests: [DIGEST], open: false }));
    await collect();
    expect(await stored()).toEqual([DIGEST]);
    const long = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    await utimes(record, long, long);
    await collect();
    expect(await stored()).toEqual([]);
  });

  it('keeps what is used for other reasons', async () => {
    await install();
    await collect(false, async () => new Set([DIGEST]));
    expect(await stored()).toContain(DIGEST);
  });

  it('puts back what a job began to rely on after the records were read', async () => {
    await install();
    const controller = new AbortController();
    const jobs: Promise<unknown>[] = [];
    const beginsMeanwhile = async (): Promise<ReadonlySet<Digest>> => {
      if (jobs.length === 0) {
        const job = () => once(controller.signal, 'abort');
        jobs.push(relyOn(layout, { digests: [DIGEST], open: false }, job));
        await expect.poll(() => leftovers(layout)).toHaveLength(1);
      }
      return none();
    };
    expect(await collect(false, beginsMeanwhile)).toMatchObject({ digests: [] });
    expect(await stored()).toContain(DIGEST);
    controller.abort();
    await Promise.all(jobs);
  });

  it('that set a blob aside gives it to a job that needs it now', async () => {
    await mkdir(layout.garbage, { recursive: true });
    await rename(layout.blob(DIGEST), join(layout.garbage, `${DIGEST}.somebody`));
    const { signal } = new AbortController();
    expect(await blobs.findProved(DIGEST, signal)).toMatchObject({ digest: DIGEST });
    expect(await readFile(layout.blob(DIGEST))).toEqual(OTHER);
    const [first] = sampleBundle(layout, 3).contents;
    await rename(first!.blob.path, join(layout.garbage, `${first!.blob.digest}.somebody`));
    await install();
    expect(await versionIn(layout.model(SAMPLE))).toBe(3);
  });

  it('that died leaves what it had set aside to the next start', async () => {
    await mkdir(layout.garbage, { recursive: true });
    const dead = `${DIGEST}.${(await readFile('/proc/sys/kernel/hostname', 'utf8').catch(() => 'host')).trim()}`;
    await rename(layout.blob(DIGEST), join(layout.garbage, dead));
    await recover(layout);
    expect((await lstat(layout.blob(DIGEST))).size).toBe(OTHER.length);
    expect(await readdir(layout.garbage)).toEqual([]);
  });

  it('may run several times at once', async () => {
    await install();
    const found = await Promise.all(Array.from({ length: 6 }, () => collect()));
    expect(found.flatMap(({ digests }) => digests)).toEqual([DIGEST]);
    expect(await stored()).toEqual(used);
  });
});
