import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { CacheLayout } from '../../../server/store/cache-layout';
import { recover } from '../../../server/store/recovery';
import { copyTree } from '../copy-tree';
import { memoryFolder } from '../memory-folder';
import { type CliOptions, type CliResult, runCli, startCli } from '../run-cli';
import { cacheTree, expectSoundStore, heldBytes, installedVersion, type ModelVersions } from './cache-state';
import { endInTime } from './end-in-time';
import { type ModelFiles, manyBytes, PULLED_MODEL, type PullSite, type SiteOptions, startPullSite } from './pull-site';

export const MEBIBYTE = 1024 * 1024;

/** What a connection that is cut may have had in the buffers of the system, which a server counts as sent. */
const ON_THE_WAY_BYTES = 8 * MEBIBYTE;

/** A cache with a server of its own, in which an older version of a model is installed. */
export class Lane {
  /** The most that a pull has had since it was restored. */
  private connections = 1;

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
    const pull = (version: string) => runCli(['pull', manifests.get(version) ?? ''], { home });
    expect(await pull('old')).toMatchObject({ status: 0 });
    copyTree(home, template);
    expect(await pull('new')).toMatchObject({ status: 0 });
    return new Lane(home, site, template, manifests.get('new') ?? '', versions, await cacheTree(home));
  }

  get words(): readonly string[] {
    return ['pull', this.manifest];
  }

  /** Back to the older version, nothing begun. */
  async restore(): Promise<void> {
    rmSync(this.home, { recursive: true });
    copyTree(this.template, this.home);
    await this.site.idle();
    this.site.reset();
    this.connections = 1;
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

  /** Begins to measure a pull. @returns bytes that it has to transfer */
  async missingBytes(): Promise<number> {
    // What went to a process that was killed is not to be counted as the next one's.
    await this.site.idle();
    this.connections = Math.max(this.connections, this.site.mostConnections);
    this.site.reset();
    const total = [...this.newest.values()].reduce((sum, { length }) => sum + length, 0);
    return total - (await heldBytes(this.home, this.newest));
  }

  /**
   * What holds when a pull has come to its end: nothing tells of the crashes before.
   * @param missing bytes, as {@link missingBytes} told them
   * @returns bytes that came twice
   */
  async checkEnd(missing: number): Promise<number> {
    await expectSoundStore(this.home);
    expect(await installedVersion(this.home, PULLED_MODEL, this.versions)).toBe('new');
    expect(await cacheTree(this.home)).toEqual(this.tree);
    const again = this.site.sentBytes - missing;
    expect(again).toBeLessThanOrEqual(this.connections * MEBIBYTE + this.site.cutConnections * ON_THE_WAY_BYTES);
    return again;
  }

  /**
   * Pulls undisturbed, and checks the end.
   * @param run the command line
   * @returns bytes that came twice
   */
  async converge(run = inOwnProcess): Promise<number> {
    const missing = await this.missingBytes();
    expect(await run(this.words, this)).toMatchObject({ status: 0, signal: null });
    return this.checkEnd(missing);
  }

  private get newest(): ModelFiles {
    return this.versions.get('new') ?? new Map();
  }
}

/** Runs the built command line to its end. */
function inOwnProcess(words: readonly string[], options: CliOptions): Promise<CliResult> {
  return endInTime(startCli(words, options));
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
