import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { Registry } from '../../../server/registry/registry';
import { CacheLayout } from '../../../server/store/cache-layout';
import { recover } from '../../../server/store/recovery';
import { copyTree } from '../copy-tree';
import { memoryFolder } from '../memory-folder';
import { type CliResult, startCli } from '../run-cli';
import { leftovers } from '../sample-bundle';
import { sha256 } from '../sample-bytes';
import { cacheTree, installedVersion } from './cache-state';
import { oldAndNew } from './lane';
import { PULLED_MODEL, startPullSite } from './pull-site';

/** What lies in the place of the model: the revision of a version, `none`, or `damaged` for the older one. */
type Sight = string;

/** A command that changes the store. */
export interface StoreJob {
  readonly title: string;
  /** @param manifest path of the newer version's */
  readonly words: (manifest: string) => readonly string[];
  readonly before: Sight;
  readonly after: Sight;
  /** Whether the contents of the newer version are to be transferred yet. */
  readonly isTransfer?: true;
}

/** Each begins with the older version in place, the contents of the newer one in the store, and another model. */
export const STORE_JOBS: readonly StoreJob[] = [
  { title: 'installs', words: (manifest) => ['pull', manifest], before: 'old', after: 'new' },
  { title: 'drops', words: () => ['drop', PULLED_MODEL], before: 'old', after: 'none' },
  { title: 'collects', words: () => ['gc'], before: 'old', after: 'old' },
  { title: 'heals', words: () => ['heal', PULLED_MODEL], before: 'damaged', after: 'old' }
];

/** As {@link STORE_JOBS}, with a transfer before the installation. */
export const TRANSFER: StoreJob = {
  title: 'pulls',
  words: (manifest) => ['pull', manifest],
  before: 'old',
  after: 'new',
  isTransfer: true
};

const VERSIONS = oldAndNew(400_000);
/** What is damaged where a job begins with damage, by its digest. */
const DAMAGED = sha256(oldFile('weights.gguf'));

const NEIGHBOUR = 'neighbour';
const NEIGHBOURS_FILES = new Map([['shared.gguf', oldFile('shared.gguf')]]);

function oldFile(name: string): Buffer {
  return VERSIONS.get('old')?.get(name) ?? expect.fail(`no ${name}`);
}

/** A cache that a job is done on again and again, from the same beginning. */
export class StoreLane {
  private constructor(
    readonly home: string,
    readonly words: readonly string[],
    private readonly job: StoreJob,
    private readonly template: string,
    private readonly tree: readonly string[]
  ) {}

  /** @param disk folder that the cache is to lie in; without one it is one in memory */
  static async open(job: StoreJob, disk?: string): Promise<StoreLane> {
    const folder = await memoryFolder();
    const site = await startPullSite(join(folder, 'site'));
    onTestFinished(() => site.close());
    const [home, template] = [join(disk ?? folder, 'home'), join(folder, 'template')];
    const manifests = new Map<string, string>();
    for (const [version, files] of VERSIONS) manifests.set(version, await site.publish(version, files));
    manifests.set(NEIGHBOUR, await site.publish(NEIGHBOUR, NEIGHBOURS_FILES, { name: NEIGHBOUR }));
    for (const version of [...(job.isTransfer ? [] : ['new']), 'old', NEIGHBOUR]) {
      expect(await startCli(['pull', manifests.get(version) ?? ''], { home }).ended).toMatchObject({ status: 0 });
    }
    if (job.before === 'damaged') await damage(join(home, 'models', PULLED_MODEL, 'weights.gguf'));
    copyTree(home, template);
    const words = job.words(manifests.get('new') ?? '');
    expect(await startCli(words, { home }).ended).toMatchObject({ status: 0 });
    return new StoreLane(home, words, job, template, await cacheTree(home));
  }

  /** Another cache, in which the same job can be done at the same time once it was restored. */
  beside(number: number): StoreLane {
    return new StoreLane(`${this.home}-${number}`, this.words, this.job, this.template, this.tree);
  }

  /** Back to the beginning, nothing done. */
  async restore(): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
    copyTree(this.template, this.home);
  }

  /** What holds whatever happened, before anything is recovered. */
  async checkAtOnce(): Promise<void> {
    await this.checkStore();
    expect([this.job.before, this.job.after]).toContain(await this.sight());
  }

  /** What holds after a crash as well, once any command has begun. */
  async checkRecovered(): Promise<void> {
    await recover(new CacheLayout(this.home));
    await this.checkAtOnce();
    const partials = await readdir(new CacheLayout(this.home).partials).catch(() => []);
    const left = await leftovers(new CacheLayout(this.home));
    expect(left.filter((entry) => !partials.some((partial) => partial === entry))).toEqual([]);
  }

  /** What holds once the job has said that it is done. */
  async checkAcknowledged(): Promise<void> {
    expect(await this.sight()).toBe(this.job.after);
  }

  /** Does the job undisturbed, and finds what an undisturbed job leaves. */
  async converge(): Promise<CliResult> {
    const result = await startCli(this.words, { home: this.home }).ended;
    expect(result).toMatchObject({ status: 0, signal: null });
    await this.checkStore();
    await this.checkAcknowledged();
    expect(await cacheTree(this.home)).toEqual(this.tree);
    return result;
  }

  private async sight(): Promise<Sight> {
    try {
      return (await installedVersion(this.home, PULLED_MODEL, VERSIONS)) ?? 'none';
    } catch (error) {
      if (this.job.before === 'damaged' && String(error).includes('weights.gguf is not that of old')) return 'damaged';
      throw error;
    }
  }

  /** Contents, the other model and the registry. */
  private async checkStore(): Promise<void> {
    const layout = new CacheLayout(this.home);
    for (const entry of await readdir(layout.blobs, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || (this.job.before === 'damaged' && entry.name === DAMAGED)) continue;
      expect(sha256(await readFile(join(entry.parentPath, entry.name)))).toBe(entry.name);
    }
    expect(await installedVersion(this.home, NEIGHBOUR, new Map([[NEIGHBOUR, NEIGHBOURS_FILES]]))).toBe(NEIGHBOUR);
    expect((await new Registry(layout.registry).read()).length).toBe(2);
  }
}

/** Writes over a file in place, under all its names. */
async function damage(path: string): Promise<void> {
  await chmod(path, 0o644);
  await writeFile(path, 'damaged');
}
