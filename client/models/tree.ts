import { type Disposable, EventEmitter, type TreeDataProvider, type TreeItem } from 'vscode';
import type { ModelSummary } from '../../shared/model';
import type { StoreTreeNode } from '../stores/store-node';
import type { StoreRows } from '../stores/store-rows';
import { rowId, treeItem } from './model-item';
import type { ModelList } from './model-list';
import type { ModelNode, TreeNode } from './model-node';
import type { RunningJobs } from './running-jobs';

/** A row that is drawn anew takes the mouse away from its buttons, so progress shows at most this often. */
const REDRAW_MS = 500;

/** What the view shows: models with their files, and team stores with what is published there. */
export type ModelViewNode = TreeNode | StoreTreeNode;

/** A row, whose model changes while the row stays. */
interface ShownModel extends ModelNode {
  model: ModelSummary;
}

export interface ModelTreeOptions {
  /** Whether somebody sees the rows. */
  readonly isVisible: () => boolean;
  /** Is told when the models cannot be listed; the view then is empty and shows its welcome. */
  readonly onTrouble: (thrown: unknown) => void;
}

/**
 * The models view. VS Code asks only while the view is visible, which is also what starts the server. When it asks for
 * all rows anew, it does not know for a while what they are, and a click on a button of theirs comes to nothing: so
 * rows that stay are only drawn anew.
 */
export class ModelTree implements TreeDataProvider<ModelViewNode>, Disposable {
  private readonly changed = new EventEmitter<ModelViewNode[] | undefined>();
  private readonly subscriptions: readonly Disposable[];
  private readonly pending = new Map<string, NodeJS.Timeout>();
  private rows: readonly ShownModel[] = [];
  private isListed = false;

  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly models: ModelList,
    private readonly jobs: RunningJobs,
    private readonly stores: StoreRows,
    private readonly options: ModelTreeOptions
  ) {
    this.subscriptions = [
      models.onDidChange(() => void this.update()),
      stores.onDidChange((rows) => this.changed.fire(rows)),
      jobs.onDidChange((model) => this.redrawSoon(model))
    ];
  }

  getTreeItem(node: ModelViewNode): TreeItem {
    if (node.kind === 'file') return treeItem(node, undefined);
    return node.kind === 'model' ? treeItem(node, this.jobs.of(node.model.name)) : this.stores.item(node);
  }

  async getChildren(parent?: ModelViewNode): Promise<ModelViewNode[]> {
    if (!parent) return this.roots();
    switch (parent.kind) {
      case 'model':
        return parent.model.files.map((file) => ({ kind: 'file', model: parent.model, file }));
      case 'file':
        return [];
      default:
        return this.stores.children(parent);
    }
  }

  dispose(): void {
    for (const timer of this.pending.values()) clearTimeout(timer);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
  }

  /** Without models that can be listed there is nothing to show but the welcome. */
  private async roots(): Promise<ModelViewNode[]> {
    try {
      const models = await this.models.read();
      this.rows = models.map((model): ShownModel => ({ kind: 'model', model }));
      this.isListed = true;
      return [...this.rows, ...this.stores.stores(models)];
    } catch (error) {
      this.rows = [];
      this.isListed = false;
      this.options.onTrouble(error);
      return [];
    }
  }

  /** Draws what is known of the models now. */
  private async update(): Promise<void> {
    const models = this.options.isVisible() ? await this.models.read().catch(() => undefined) : undefined;
    if (!models || !this.isListed || this.isOther(models) || this.stores.isStale()) {
      this.changed.fire(undefined);
      return;
    }
    this.stores.noticeInstalled(models);
    const others = this.rows.filter((row, at) => JSON.stringify(row.model) !== JSON.stringify(models[at]));
    for (const [at, row] of this.rows.entries()) row.model = models[at] ?? row.model;
    if (others.length > 0) this.changed.fire(others);
  }

  private isOther(models: readonly ModelSummary[]): boolean {
    return models.map(rowId).join('\n') !== this.rows.map(({ model }) => rowId(model)).join('\n');
  }

  private redrawSoon(model: string): void {
    const progress = this.jobs.of(model)?.progress;
    const isFirstOrLast = progress === undefined;
    if (isFirstOrLast || progress.isPaused) this.redraw(model);
    else if (!this.pending.has(model))
      this.pending.set(
        model,
        setTimeout(() => this.redraw(model), REDRAW_MS)
      );
  }

  private redraw(name: string): void {
    clearTimeout(this.pending.get(name));
    this.pending.delete(name);
    const rows = [...this.rows.filter(({ model }) => model.name === name), ...this.stores.rowsOf(name)];
    if (rows.length > 0) this.changed.fire(rows);
  }
}
