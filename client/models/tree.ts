import { type Disposable, EventEmitter, type TreeDataProvider, type TreeItem } from 'vscode';
import type { ModelSummary } from '../../shared/model';
import { rowId, treeItem } from './model-item';
import type { ModelList } from './model-list';
import type { ModelNode, TreeNode } from './model-node';
import type { RunningJobs } from './running-jobs';

/** A row that is drawn anew takes the mouse away from its buttons, so progress shows at most this often. */
const REDRAW_MS = 500;

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
export class ModelTree implements TreeDataProvider<TreeNode>, Disposable {
  private readonly changed = new EventEmitter<TreeNode[] | undefined>();
  private readonly subscriptions: readonly Disposable[];
  private readonly pending = new Map<string, NodeJS.Timeout>();
  private rows: readonly ShownModel[] = [];

  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly models: ModelList,
    private readonly jobs: RunningJobs,
    private readonly options: ModelTreeOptions
  ) {
    this.subscriptions = [
      models.onDidChange(() => void this.update()),
      jobs.onDidChange((model) => this.redrawSoon(model))
    ];
  }

  getTreeItem(node: TreeNode): TreeItem {
    return treeItem(node, node.kind === 'model' ? this.jobs.of(node.model.name) : undefined);
  }

  async getChildren(parent?: TreeNode): Promise<TreeNode[]> {
    if (parent?.kind === 'file') return [];
    if (parent) return parent.model.files.map((file) => ({ kind: 'file', model: parent.model, file }));
    try {
      this.rows = (await this.models.read()).map((model): ShownModel => ({ kind: 'model', model }));
    } catch (error) {
      this.rows = [];
      this.options.onTrouble(error);
    }
    return [...this.rows];
  }

  dispose(): void {
    for (const timer of this.pending.values()) clearTimeout(timer);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
  }

  /** Draws what is known of the models now. */
  private async update(): Promise<void> {
    const models = this.options.isVisible() ? await this.models.read().catch(() => []) : [];
    if (models.length === 0 || models.map(rowId).join('\n') !== this.rows.map(({ model }) => rowId(model)).join('\n')) {
      this.changed.fire(undefined);
      return;
    }
    const others = this.rows.filter((row, at) => JSON.stringify(row.model) !== JSON.stringify(models[at]));
    for (const [at, row] of this.rows.entries()) row.model = models[at] ?? row.model;
    if (others.length > 0) this.changed.fire(others);
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
    const rows = this.rows.filter(({ model }) => model.name === name);
    if (rows.length > 0) this.changed.fire(rows);
  }
}
