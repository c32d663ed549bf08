import { type Disposable, EventEmitter, type TreeDataProvider, type TreeItem } from 'vscode';
import { treeItem } from './model-item';
import type { ModelList } from './model-list';
import type { ModelNode, TreeNode } from './model-node';
import type { RunningJobs } from './running-jobs';

/** A row that is drawn anew takes the mouse away from its buttons, so progress shows at most this often. */
const REDRAW_MS = 500;

/** The models view. VS Code asks only while the view is visible, which is also what starts the server. */
export class ModelTree implements TreeDataProvider<TreeNode>, Disposable {
  private readonly changed = new EventEmitter<TreeNode | undefined>();
  private readonly subscriptions: readonly Disposable[];
  private readonly pending = new Map<string, NodeJS.Timeout>();
  /** By name, to be drawn anew while jobs run. */
  private nodes: ReadonlyMap<string, ModelNode> = new Map();

  readonly onDidChangeTreeData = this.changed.event;

  /** @param onTrouble is told when the models cannot be listed; the view then is empty and shows its welcome */
  constructor(
    private readonly models: ModelList,
    private readonly jobs: RunningJobs,
    private readonly onTrouble: (thrown: unknown) => void
  ) {
    this.subscriptions = [
      models.onDidChange(() => this.changed.fire(undefined)),
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
      const nodes = (await this.models.read()).map((model): ModelNode => ({ kind: 'model', model }));
      this.nodes = new Map(nodes.map((node) => [node.model.name, node]));
      return nodes;
    } catch (error) {
      this.nodes = new Map();
      this.onTrouble(error);
      return [];
    }
  }

  dispose(): void {
    for (const timer of this.pending.values()) clearTimeout(timer);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
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

  private redraw(model: string): void {
    clearTimeout(this.pending.get(model));
    this.pending.delete(model);
    const node = this.nodes.get(model);
    if (node) this.changed.fire(node);
  }
}
