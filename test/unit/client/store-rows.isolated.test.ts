import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunningJob } from '../../../client/models/running-jobs';
import { ModelTree, type ModelViewNode } from '../../../client/models/tree';
import { StoreListings } from '../../../client/stores/store-listings';
import type { ConfiguredStore } from '../../../client/stores/store-node';
import { StoreRows } from '../../../client/stores/store-rows';
import type { ModelSummary } from '../../../shared/model';
import type { Publication, StoreListing } from '../../../shared/publication';
import { EventEmitter } from '../../support/tree-editor';

vi.mock('vscode', () => import('../../support/tree-editor'));
// The client's own module cannot be loaded outside of the editor; what is used of it comes from there.
vi.mock('vscode-languageclient/node', () => import('vscode-languageserver-protocol'));

const TEAM: ConfiguredStore = { name: 'team', url: 's3://bucket/models' };
const DAY = 24 * 60 * 60 * 1000;

const publication = (name: string, fields: Partial<Publication> = {}): Publication => ({
  name,
  combined: 'ab'.repeat(32),
  bytes: 2_500_000,
  files: 2,
  holds: 'model',
  publishedAtUnixMs: Date.now() - 3 * DAY,
  isInstalled: false,
  ...fields
});

let models: ModelSummary[];
let stores: ConfiguredStore[];
let isVisible: boolean;
let contents: Record<string, Partial<StoreListing>>;
let asked: (string | undefined)[];
let running: RunningJob[];
let modelsChanged: { fire(): void };
let jobsChanged: { fire(model: string): void };
let listings: StoreListings;
let rows: StoreRows;
let tree: ModelTree;
let redrawn: (readonly ModelViewNode[] | undefined)[];

beforeEach(() => {
  vi.useFakeTimers();
  models = [{ name: 'one', status: 'registered', files: [] }];
  stores = [TEAM];
  isVisible = true;
  contents = { team: { publications: [publication('one'), publication('two')] } };
  asked = [];
  running = [];
  const changed = new EventEmitter<void>();
  const jobChanged = new EventEmitter<string>();
  modelsChanged = { fire: () => changed.fire() };
  jobsChanged = { fire: (model) => jobChanged.fire(model) };
  const client = {
    sendRequest: async (_request: unknown, { store = '' }: { store?: string }): Promise<StoreListing[]> => {
      asked.push(store);
      return [{ name: store, url: '', publications: [], ...contents[store] }];
    }
  };
  const jobs = { onDidChange: jobChanged.event, of: (name: string) => running.find(({ model }) => model === name) };
  listings = new StoreListings({ client: async () => client } as never);
  rows = new StoreRows(listings, jobs as never, { stores: () => stores, isVisible: () => isVisible });
  tree = new ModelTree({ onDidChange: changed.event, read: async () => models } as never, jobs as never, rows, {
    isVisible: () => isVisible,
    onTrouble: (thrown) => expect.fail(String(thrown))
  });
  redrawn = [];
  tree.onDidChangeTreeData((nodes) => redrawn.push(nodes));
});

afterEach(() => {
  tree.dispose();
  rows.dispose();
  listings.dispose();
  vi.useRealTimers();
});

const settled = () => vi.advanceTimersByTimeAsync(1000);
const itemOf = (node: ModelViewNode | undefined) => tree.getTreeItem(node ?? expect.fail('no such row'));
const textOf = (node: ModelViewNode | undefined) => {
  const { label, description } = itemOf(node);
  return [label, description].filter((text) => typeof text === 'string').join(': ');
};

/** Expands the row of the store, as the editor does. */
async function expand(): Promise<ModelViewNode[]> {
  const store = (await tree.getChildren()).at(-1);
  return tree.getChildren(store);
}

describe('the rows of team stores', () => {
  it('come after the models, one for each that the settings name, and nobody is asked', async () => {
    stores = [TEAM, { name: 'shared', url: 'file:///srv/models' }];
    expect((await tree.getChildren()).map(textOf)).toEqual([
      'one: not installed',
      'team: s3://bucket/models',
      'shared: file:///srv/models'
    ]);
    await settled();
    expect(asked).toEqual([]);
  });

  it('are not there without a store in the settings', async () => {
    stores = [];
    expect(await tree.getChildren()).toHaveLength(1);
  });

  it('tell results of a batch from models, and do not offer to pull them', async () => {
    contents['team'] = { publications: [publication('one', { holds: 'results' }), publication('two')] };
    models = [{ name: 'one', status: 'installed', files: [], folder: '/models/one' }];
    running = [{ model: 'one', name: 'one', kind: 'pull', doing: 'pull', progress: undefined, preview: undefined }];
    const [one, two] = await expand();
    expect(textOf(one)).toMatch(/^one: results of a batch · /);
    expect(itemOf(one).contextValue).toBe('publication:idle:results');
    expect(itemOf(two).contextValue).toBe('publication:idle:absent');
  });

  it('ask the store that is expanded, and it alone, what is published there', async () => {
    stores = [{ name: 'shared', url: 'file:///srv/models' }, TEAM];
    contents['team'] = { publications: [publication('one', { isInstalled: true }), publication('two')] };
    expect((await expand()).map(textOf)).toEqual([
      'one: installed · 2.5 MB · 3 days ago',
      'two: not installed · 2.5 MB · 3 days ago'
    ]);
    expect(asked).toEqual(['team']);
  });

  it('say that nothing is published', async () => {
    contents['team'] = {};
    expect((await expand()).map(textOf)).toEqual(['Nothing is published here yet.']);
  });

  it('say of a publication that something else of its name is installed', async () => {
    models = [{ name: 'one', status: 'installed', files: [], folder: '/models/one' }];
    expect((await expand()).map(textOf)[0]).toBe('one: differs from the installed model · 2.5 MB · 3 days ago');
  });

  it('are asked for anew when the settings name other stores', async () => {
    await tree.getChildren();
    stores = [TEAM, { name: 'shared', url: 'file:///srv/models' }];
    modelsChanged.fire();
    await settled();
    expect(redrawn).toEqual([undefined]);
  });
});

describe('a store that cannot be read', () => {
  it('has a row with the sentence, and is read when asked again', async () => {
    contents['team'] = { publications: [], failure: { code: 'network', message: 's3.example.com cannot be reached.' } };
    expect((await expand()).map(textOf)).toEqual(['s3.example.com cannot be reached.']);
    contents['team'] = { publications: [publication('one')] };
    listings.invalidate('team');
    await settled();
    expect(redrawn.map((nodes) => nodes?.map(textOf))).toEqual([['team: s3://bucket/models']]);
    expect((await expand()).map(textOf)).toEqual(['one: not installed · 2.5 MB · 3 days ago']);
    expect(asked).toEqual(['team', 'team']);
  });
});

describe('an expanded store', () => {
  it('keeps its rows while what they say changes, so that a click on one is never for nothing', async () => {
    const [first] = await expand();
    contents['team'] = { publications: [publication('one', { isInstalled: true }), publication('two')] };
    models = [{ name: 'one', status: 'installed', files: [] }];
    modelsChanged.fire();
    await settled();
    expect(redrawn.at(-1)).toEqual([first]);
    expect(textOf(first)).toBe('one: installed · 2.5 MB · 3 days ago');
  });

  it('is not asked again because of models that stay what they are', async () => {
    await expand();
    models = [{ name: 'one', status: 'registered', files: [], checkedAt: 1 }];
    modelsChanged.fire();
    await settled();
    expect(asked).toEqual(['team']);
  });

  it.each(['collapsed', 'hidden'])('is not asked again once it is %s', async (state) => {
    const store = (await tree.getChildren()).at(-1) ?? expect.fail('no store');
    await tree.getChildren(store);
    if (state === 'hidden') isVisible = false;
    else rows.setExpanded(store, false);
    listings.invalidate();
    await settled();
    expect(asked).toEqual(['team']);
  });

  it('shows how far the pull of a publication is, and no other job of a model of its name', async () => {
    const [first] = await expand();
    const job: RunningJob = {
      model: 'one',
      name: 'one',
      kind: 'pull',
      doing: 'pull',
      progress: undefined,
      preview: undefined
    };
    running = [{ ...job, progress: { brief: '42 % · 3.1 MB/s', detail: '' } }];
    jobsChanged.fire('one');
    await settled();
    expect(redrawn.at(-1)).toContain(first);
    expect(textOf(first)).toBe('one: 42 % · 3.1 MB/s');
    running = [{ ...job, kind: 'verify', doing: 'verify' }];
    expect(textOf(first)).toBe('one: not installed · 2.5 MB · 3 days ago');
  });
});
