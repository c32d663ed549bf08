import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../../shared/failure';
import type { HubCacheListing } from '../../../shared/hub-cache';
import type { Services } from '../services';

/** A download changes much in a row; it is told once, this long after the first change, in ms. */
const GATHER_MS = 500;

/** Every watched folder costs the system a little; what changes in further repositories is seen on refresh. */
const MOST_REPOSITORIES = 200;

/** Tells when the cache that was listed last changes, whoever changes it. Nothing is watched before a listing. */
export class HubCacheWatch {
  private watchers: FSWatcher[] = [];
  private pending: NodeJS.Timeout | undefined;

  constructor(
    private readonly log: Services['log'],
    private readonly onChange: () => void
  ) {}

  /** Watches what was listed, and no longer what was listed before. */
  follow({ folder, exists, repositories }: HubCacheListing): void {
    this.close();
    if (!exists) return;
    const listed = repositories.slice(0, MOST_REPOSITORIES).map((repository) => repository.folder);
    const revisions = listed.flatMap((repository) => [join(repository, 'snapshots'), join(repository, 'refs')]);
    for (const path of [folder, ...listed, ...revisions]) this.watch(path);
  }

  close(): void {
    clearTimeout(this.pending);
    this.pending = undefined;
    for (const watcher of this.watchers.splice(0)) watcher.close();
  }

  private watch(path: string): void {
    try {
      const watcher = watch(path, { persistent: false }, () => this.gather());
      watcher.on('error', (error) => this.log.warn('stopped watching', { folder: path, reason: error.message }));
      this.watchers.push(watcher);
    } catch (error) {
      // A repository need not have every folder.
      this.log.info('cannot watch', { folder: path, reason: messageOf(error) });
    }
  }

  private gather(): void {
    this.pending ??= setTimeout(() => {
      this.pending = undefined;
      this.onChange();
    }, GATHER_MS);
  }
}
