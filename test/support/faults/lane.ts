import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import { CacheLayout } from '../../../server/store/cache-layout';
import { recover } from '../../../server/store/recovery';
import { memoryFolder } from '../memory-folder';
import { startCli } from '../run-cli';
import { cacheTree, expectSoundStore, heldBytes, installedVersion, type ModelVersions } from './cache-state';
import { manyBytes, PULLED_MODEL, type PullSite, type SiteOptions, startPullSite } from './pull-site';

export const MEBIBYTE = 1024 * 1024;

/** What a connection that is cut may have had in the buffers of the system, which a server counts as sent. */
const ON_THE_WAY_BYTES = 8 * MEBIBYTE;

/** A cache with a server of its own, in which an older version of a model is installed. */
export class Lane {
  private constructor(
    readonly home: string,
    readonly site: PullSite,
    private readonly template: string,
    private readonly manifest: string,
    private readonly versions: ModelVersions,
    private readonly tree: readonly string[]
  ) {}

  static async open(versions: ModelVersions, options: SiteOptions = {}): Promise<Lane> {
    const folder = await memoryFolder();
    const site = await startPullSite(join(folder, 'site'), options);
    onTestFinished(() => site.close());
    const manifests = new Map<string, string>();
    for (const [version, files] of versions) manifests.set(version, await site.publish(version, files));
    const [home, template] = [join(folder, 'home'), join(folder, 'template')];
    const run = (version: string) => startCli(['pull', manifests.get(version) ?? ''], { home }).ended;
    expect(await run('old')).toMatchObject({ status: 0 });
    await copyTree(home, template);
    expect(await run('new')).toMatchObject({ status: 0 });
    const lane = new Lane(home, site, template, manifests.get('new') ?? '', versions, await cacheTree(home));
    return lane;
  }

  get words(): readonly string[] {
    return ['pull', this.manifest];
  }

  /** Back to the older version, nothing begun. */
  async restore(): Promise<void> {
    await rm(this.home, { recursive: true });
    await copyTree(this.template, this.home);
    this.site.reset();
  }

  /** What holds in the very moment of a crash. */
  async checkAfterKill(): Promise<void> {
    await expectSoundStore(this.home);
    await installedVersion(this.home, PULLED_MODEL, this.versions);
  }

  /** What holds after the next start of any command. */
  async checkRecovery(): Promise<void> {
    await recover(new CacheLayout(this.home));
    expect(['old', 'new']).toContain(await installedVersion(this.home, PULLED_MODEL, this.versions));
  }

  /** Pulls undisturbed, and checks that nothing tells of the crashes. @returns bytes that came twice */
  async converge(): Promise<number> {
    const files = this.versions.get('new') ?? new Map();
    const total = [...files.values()].reduce((sum, { length }) => sum + length, 0);
    const missing = total - (await heldBytes(this.home, files));
    const connections = this.site.mostConnections;
    this.site.reset();
    expect(await startCli(this.words, { home: this.home }).ended).toMatchObject({ status: 0, signal: null });
    await expectSoundStore(this.home);
    expect(await installedVersion(this.home, PULLED_MODEL, this.versions)).toBe('new');
    expect(await cacheTree(this.home)).toEqual(this.tree);
    const again = this.site.sentBytes - missing;
    expect(again).toBeLessThanOrEqual(
      Math.max(1, connections) * MEBIBYTE + this.site.cutConnections * ON_THE_WAY_BYTES
    );
    return again;
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to]);
}

/** Two versions: one file is the same in both, one appears, one has another content. */
export function oldAndNew(largeBytes: number): ModelVersions {
  const shared = manyBytes(300_000, 1);
  return new Map([
    [
      'old',
      new Map([
        ['weights.gguf', manyBytes(200_000, 2)],
        ['shared.gguf', shared]
      ])
    ],
    [
      'new',
      new Map([
        ['weights.gguf', manyBytes(largeBytes, 3)],
        ['shared.gguf', shared],
        ['small.gguf', Buffer.from('small')]
      ])
    ]
  ]);
}
