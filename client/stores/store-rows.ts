import { type Disposable, EventEmitter, type TreeItem } from 'vscode';
import type { ModelSummary } from '../../shared/model';
import type { Publication } from '../../shared/publication';
import type { RunningJob, RunningJobs } from '../models/running-jobs';
import { storeTreeItem } from './store-item';
import type { StoreListings } from './store-listings';
import {
  type ConfiguredStore,
  type PublicationNode,
  publicationJob,
  type StoreNode,
  type StoreTreeNode
} from './store-node';

/** A row, whose publication changes while the row stays. */
interface ShownPublication extends PublicationNode {
  publication: Publication;
}

/** What is shown of a store that was looked into. */
interface Shown {
  readonly node: StoreNode;
  rows: readonly StoreTreeNode[];
  isExpanded: boolean;
}

export interface StoreRowsOptions {
  /** The stores that the settings name now. */
  readonly stores: () => readonly ConfiguredStore[];
  /** Whether somebody sees the rows. */
  readonly isVisible: () => boolean;
}

/**
 * The rows of team stores, below the models. A store is asked once somebody expands its row, and again while it is
 * expanded and seen. Rows that stay are only drawn anew, so that clicks on their buttons arrive.
 */
export class StoreRows implements Disposable {
  private readonly changed = new EventEmitter<StoreTreeNode[]>();
  private readonly subscriptions: readonly Disposable[];
  private roots: readonly StoreNode[] = [];
  private readonly shown = new Map<string, Shown>();
  private models: readonly ModelSummary[] = [];

  /** Fires with rows that look different, or whose children are others. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly listings: StoreListings,
    private readonly jobs: RunningJobs,
    private readonly options: StoreRowsOptions
  ) {
    this.subscriptions = [listings.onDidChange((store) => void this.update(store))];
  }

  /** A row for each store; those that stay are the same objects. @param models that are listed above them */
  stores(models: readonly ModelSummary[]): readonly StoreNode[] {
    this.noticeInstalled(models);
    const known = new Map(this.roots.map((node) => [idOf(node.store), node]));
    this.roots = this.options.stores().map((store) => known.get(idOf(store)) ?? { kind: 'store', store });
    return this.roots;
  }

  /** Whether the settings name other stores than those that are shown. */
  isStale(): boolean {
    return this.options.stores().map(idOf).join('\n') !== this.roots.map(({ store }) => idOf(store)).join('\n');
  }

  item(node: StoreTreeNode): TreeItem {
    if (node.kind !== 'publication') return storeTreeItem(node, undefined, false);
    const { name, holds, isInstalled } = node.publication;
    const isOther = holds === 'model' && !isInstalled;
    const differs = isOther && this.models.some((model) => model.name === name && model.folder !== undefined);
    return storeTreeItem(node, this.jobOn(node), differs);
  }

  async children(node: StoreTreeNode): Promise<StoreTreeNode[]> {
    if (node.kind !== 'store') return [];
    const rows = await this.read(node.store);
    this.shown.set(node.store.name, { node, rows, isExpanded: true });
    return [...rows];
  }

  /** Takes note of whether anybody looks into a store. */
  setExpanded(node: { readonly kind: string }, isExpanded: boolean): void {
    const shown = [...this.shown.values()].find((other) => other.node === node);
    if (shown) shown.isExpanded = isExpanded;
  }

  /** The rows that show how far a job is. */
  rowsOf(job: string): StoreTreeNode[] {
    return [...this.shown.values()]
      .flatMap(({ rows }) => rows)
      .filter((row) => row.kind === 'publication' && (row.publication.name === job || publicationJob(row) === job));
  }

  /** Models that came or went may be those of publications. */
  noticeInstalled(models: readonly ModelSummary[]): void {
    const before = installedKey(this.models);
    this.models = models;
    if (installedKey(models) !== before) this.listings.invalidate();
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
  }

  /** What happens to the model that is not a pull shows in the model's own row. */
  private jobOn(node: PublicationNode): RunningJob | undefined {
    const job = this.jobs.of(node.publication.name);
    const isPulled = job?.kind === 'pull' && node.publication.holds === 'model';
    return this.jobs.of(publicationJob(node)) ?? (isPulled ? job : undefined);
  }

  private async read(store: ConfiguredStore): Promise<readonly StoreTreeNode[]> {
    try {
      const publications = await this.listings.read(store.name);
      if (publications.length === 0) return [{ kind: 'store-empty', store }];
      return publications.map((publication): ShownPublication => ({ kind: 'publication', store, publication }));
    } catch (thrown) {
      return [{ kind: 'store-trouble', store, thrown }];
    }
  }

  /** Draws what the store says now, or has it asked when somebody looks again. */
  private async update(store: string): Promise<void> {
    const shown = this.shown.get(store);
    if (!shown) return;
    const rows = shown.isExpanded && this.options.isVisible() ? await this.read(shown.node.store) : [];
    if (this.shown.get(store) !== shown) return;
    const others = takeOver(shown.rows, rows);
    if (others === undefined) {
      this.shown.delete(store);
      this.changed.fire([shown.node]);
    } else if (others.length > 0) this.changed.fire(others);
  }
}

/**
 * Gives rows the publications that are known now.
 * @returns the rows that changed; undefined when the rows themselves are others
 */
function takeOver(rows: readonly StoreTreeNode[], wanted: readonly StoreTreeNode[]): StoreTreeNode[] | undefined {
  const publications = rows.filter((row): row is ShownPublication => row.kind === 'publication');
  const now = wanted.filter((row) => row.kind === 'publication');
  const isSame = publications.every((row, at) => row.publication.name === now[at]?.publication.name);
  if (!isSame || publications.length === 0 || now.length !== publications.length) return undefined;
  const others = publications.filter(
    ({ publication }, at) => JSON.stringify(publication) !== JSON.stringify(now[at]?.publication)
  );
  for (const [at, row] of publications.entries()) row.publication = now[at]?.publication ?? row.publication;
  return others;
}

function idOf({ name, url }: ConfiguredStore): string {
  return `${name} ${url}`;
}

function installedKey(models: readonly ModelSummary[]): string {
  return models.map(({ name, status }) => `${name} ${status}`).join('\n');
}
