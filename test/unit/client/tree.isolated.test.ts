import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ModelTree, type ModelViewNode } from '../../../client/models/tree';
import type { ModelSummary } from '../../../shared/model';
import { EventEmitter } from '../../support/tree-editor';

vi.mock('vscode', () => import('../../support/tree-editor'));

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
let redrawn: (readonly ModelViewNode[] | undefined)[];

beforeEach(() => {
  listed = [model('one'), model('two')];
  isVisible = true;
  const changed = new EventEmitter<void>();
  invalidated = { fire: () => changed.fire() };
  const models = { onDidChange: changed.event, read: async () => listed };
  const jobs = { onDidChange: new EventEmitter<string>().event, of: () => undefined };
  const options = { isVisible: () => isVisible, onTrouble: (thrown: unknown) => expect.fail(String(thrown)) };
  const stores = {
    onDidChange: new EventEmitter<ModelViewNode[]>().event,
    stores: () => [],
    isStale: () => false,
    noticeInstalled: () => undefined
  };
  tree = new ModelTree(models as never, jobs as never, stores as never, options);
  redrawn = [];
  tree.onDidChangeTreeData((rows) => redrawn.push(rows));
});

/** The list has changed, and the tree has heard of it. */
async function change(models: ModelSummary[]): Promise<void> {
  listed = models;
  invalidated.fire();
  await new Promise((done) => setImmediate(done));
}

const words = (rows: readonly ModelViewNode[] = []) => rows.map((row) => tree.getTreeItem(row).description);

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

  it('say of a model that was made here and removed that it is to be made again, not pulled', async () => {
    const madeHere = { from: 'one', type: 'q8_0', engine: '1.0', files: ['a.gguf'] };
    listed = [model('one'), model('small', { madeHere }), model('there', { madeHere, status: 'installed' })];
    const rows = await tree.getChildren();
    expect(words(rows)).toEqual(['not installed', 'removed', 'installed']);
    expect(rows.map((row) => tree.getTreeItem(row).contextValue)).toEqual([
      'model:registered:idle',
      'model:registered:idle:made',
      'model:installed:idle:made'
    ]);
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
