import { type Disposable, EventEmitter, type TreeDataProvider, type TreeItem } from 'vscode';
import type { RunningJobs } from '../models/running-jobs';
import { cacheItem } from './cache-item';
import type { CacheList } from './cache-list';
import { type CacheNode, type CacheTarget, referenceOf } from './cache-node';

/** A row that is drawn anew takes the mouse away from its buttons, so progress shows at most this often. */
const REDRAW_MS = 500;

/**
 * The view of the Hugging Face cache. VS Code asks only while it is visible, which is when the cache is first read. A
 * job redraws its own row alone, for a click on a button of a row that is read anew comes to nothing.
 */
export class CacheTree implements TreeDataProvider<CacheNode>, Disposable {
  private readonly changed = new EventEmitter<CacheNode[] | undefined>();
  private readonly subscriptions: readonly Disposable[];
  private redraw: NodeJS.Timeout | undefined;
  /** The rows that jobs may work on, by what requests call them, and those of them that a job has changed. */
  private readonly rows = new Map<string, CacheTarget>();
  private readonly stale = new Set<string>();

  readonly onDidChangeTreeData = this.changed.event;

  /** @param onTrouble is told when the cache cannot be listed; the view then is empty and shows its welcome */
  constructor(
    private readonly list: CacheList,
    private readonly jobs: RunningJobs,
    private readonly onTrouble: (thrown: unknown) => void
  ) {
    this.subscriptions = [
      list.onDidChange(() => this.changed.fire(undefined)),
      jobs.onDidChange((name) => this.redrawSoon(name))
    ];
  }

  getTreeItem(node: CacheNode): TreeItem {
    if (node.kind === 'file') return cacheItem(node, this.list, undefined);
    const reference = referenceOf(node);
    this.rows.set(reference, node);
    return cacheItem(node, this.list, this.jobs.of(reference));
  }

  async getChildren(parent?: CacheNode): Promise<CacheNode[]> {
    switch (parent?.kind) {
      case undefined:
        return this.repositories();
      case 'repository':
        return parent.repository.revisions.map((revision) => ({ ...parent, kind: 'revision', revision }));
      case 'revision':
        return parent.revision.files.map((file) => ({ ...parent, kind: 'file', file }));
      case 'file':
        return [];
    }
  }

  dispose(): void {
    clearTimeout(this.redraw);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
  }

  private async repositories(): Promise<CacheNode[]> {
    this.rows.clear();
    try {
      const { repositories } = await this.list.read();
      return repositories.map((repository) => ({ kind: 'repository', repository }));
    } catch (error) {
      this.onTrouble(error);
      return [];
    }
  }

  private redrawSoon(name: string): void {
    if (!this.rows.has(name)) return;
    this.stale.add(name);
    this.redraw ??= setTimeout(() => {
      this.redraw = undefined;
      const rows = [...this.stale].flatMap((reference) => this.rows.get(reference) ?? []);
      this.stale.clear();
      if (rows.length > 0) this.changed.fire(rows);
    }, REDRAW_MS);
  }
}
