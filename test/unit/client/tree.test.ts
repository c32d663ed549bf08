import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { TreeNode } from '../../../client/models/model-node';
import { ModelTree } from '../../../client/models/tree';
import type { ModelSummary } from '../../../shared/model';

/** As the editor's. */
const { Emitter } = vi.hoisted(() => ({
  Emitter: class<T> {
    private readonly listeners = new Set<(value: T) => void>();
    readonly event = (listener: (value: T) => void) => {
      this.listeners.add(listener);
      return { dispose: () => this.listeners.delete(listener) };
    };
    fire(value: T): void {
      for (const listener of this.listeners) listener(value);
    }
  }
}));

/** As much of the editor as a tree needs. */
vi.mock('vscode', () => {
  class Plain {
    appendText = () => this;
    appendMarkdown = () => this;
  }
  return {
    EventEmitter: Emitter,
    MarkdownString: Plain,
    ThemeColor: Plain,
    ThemeIcon: Plain,
    TreeItem: Plain,
    TreeItemCollapsibleState: {},
    Uri: { parse: () => ({}) }
  };
});

const model = (name: string, fields: Partial<ModelSummary> = {}): ModelSummary => ({
  name,
  status: 'registered',
  files: [],
  ...fields
});

let listed: ModelSummary[];
let isVisible: boolean;
let invalidated: { fire(): void };
let tree: ModelTree;
let redrawn: (readonly TreeNode[] | undefined)[];

beforeEach(() => {
  listed = [model('one'), model('two')];
  isVisible = true;
  const changed = new Emitter<void>();
  invalidated = { fire: () => changed.fire() };
  const models = { onDidChange: changed.event, read: async () => listed };
  const jobs = { onDidChange: new Emitter<string>().event, of: () => undefined };
  const options = { isVisible: () => isVisible, onTrouble: (thrown: unknown) => expect.fail(String(thrown)) };
  tree = new ModelTree(models as never, jobs as never, options);
  redrawn = [];
  tree.onDidChangeTreeData((rows) => redrawn.push(rows));
});

/** The list has changed, and the tree has heard of it. */
async function change(models: ModelSummary[]): Promise<void> {
  listed = models;
  invalidated.fire();
  await new Promise((done) => setImmediate(done));
}

const words = (rows: readonly TreeNode[] = []) => rows.map((row) => tree.getTreeItem(row).description);

describe('the rows of models', () => {
  it('stay what they are while a model changes, so that a click on one is never for nothing', async () => {
    const rows = await tree.getChildren();
    await change([model('one', { status: 'installed' }), model('two')]);
    expect(redrawn).toEqual([[rows[0]]]);
    expect(words(rows)).toEqual(['installed', 'not installed']);
  });

  it('are left alone when nothing changed', async () => {
    await tree.getChildren();
    await change([model('one'), model('two')]);
    expect(redrawn).toEqual([]);
  });

  it.each([
    ['a model comes', [model('one'), model('two'), model('three')]],
    ['a model goes', [model('two')]],
    ['their order changes', [model('two'), model('one')]],
    ['all go', []]
  ])('are asked for anew when %s', async (_, models) => {
    await tree.getChildren();
    await change(models);
    expect(redrawn).toEqual([undefined]);
    expect(words(await tree.getChildren())).toHaveLength(models.length);
  });

  it('are not asked for while nobody sees them', async () => {
    await tree.getChildren();
    isVisible = false;
    await change([model('one', { status: 'installed' }), model('two')]);
    expect(redrawn).toEqual([undefined]);
  });
});
