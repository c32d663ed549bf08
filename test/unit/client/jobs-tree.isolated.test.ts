import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobNode } from '../../../client/batch/job-node';
import { JobsTree } from '../../../client/batch/jobs-tree';
import type { RunningJob } from '../../../client/models/running-jobs';
import type { BatchSummary } from '../../../shared/batch';
import { EventEmitter } from '../../support/tree-editor';

vi.mock('vscode', () => import('../../support/tree-editor'));

const HOUR = 60 * 60 * 1000;

const batch = (job: string, fields: Partial<BatchSummary> = {}): BatchSummary => ({
  job,
  file: `/work/${job}.batch.json`,
  store: '/cache/batches',
  state: 'stopped',
  items: 12,
  done: 5,
  failed: 0,
  isHere: false,
  startedAtUnixMs: Date.now() - 2 * HOUR,
  ...fields
});

const job = (model: string, fields: Partial<RunningJob> = {}): RunningJob => ({
  model,
  name: model,
  kind: 'pull',
  doing: 'pull',
  progress: undefined,
  preview: undefined,
  ...fields
});

const imagesOf = async () => [{ path: '/gallery/1.png', prompt: 'a lighthouse' }];

let listed: BatchSummary[];
let running: RunningJob[];
let isVisible: boolean;
let batchesChanged: { fire(): void };
let jobsChanged: { fire(model: string): void };
let tree: JobsTree;
let redrawn: (readonly JobNode[] | undefined)[];

beforeEach(() => {
  vi.useFakeTimers();
  listed = [];
  running = [];
  isVisible = true;
  const changed = new EventEmitter<void>();
  const jobChanged = new EventEmitter<string>();
  batchesChanged = { fire: () => changed.fire() };
  jobsChanged = { fire: (model) => jobChanged.fire(model) };
  const batches = { onDidChange: changed.event, read: async () => listed, imagesOf };
  const jobs = {
    onDidChange: jobChanged.event,
    all: () => running,
    of: (model: string) => running.find((other) => other.model === model)
  };
  tree = new JobsTree(batches as never, jobs as never, {
    isVisible: () => isVisible,
    onTrouble: (thrown) => expect.fail(String(thrown))
  });
  redrawn = [];
  tree.onDidChangeTreeData((rows) => redrawn.push(rows));
});

afterEach(() => {
  tree.dispose();
  vi.useRealTimers();
});

const settled = () => vi.advanceTimersByTimeAsync(1000);
const textOf = (node: JobNode) => {
  const { label, description } = tree.getTreeItem(node);
  return `${typeof label === 'string' ? label : ''}: ${typeof description === 'string' ? description : ''}`;
};
const menuOf = (node: JobNode | undefined) => node && tree.getTreeItem(node).contextValue;

describe('the view of jobs', () => {
  it('is told once that its rows are others while nobody sees it, however fast a job goes on', async () => {
    await tree.getChildren();
    isVisible = false;
    running = [job('tiny')];
    for (let at = 0; at < 20; at += 1) jobsChanged.fire('tiny');
    await settled();
    expect(redrawn).toEqual([undefined]);
    isVisible = true;
    expect((await tree.getChildren()).map(textOf)).toEqual(['tiny: pull']);
  });

  it('shows what runs first, then what stopped or is done, the latest first', async () => {
    listed = [
      batch('old', { state: 'done', done: 12, startedAtUnixMs: Date.now() - 5 * HOUR }),
      batch('halted'),
      batch('elsewhere', { state: 'running' })
    ];
    running = [job('tiny', { progress: { brief: '42 % · 3.1 MB/s', detail: '' } })];
    expect((await tree.getChildren()).map(textOf)).toEqual([
      'elsewhere: runs elsewhere · 5 of 12 images',
      'tiny: pull · 42 % · 3.1 MB/s',
      'halted: stopped · 5 of 12 images',
      'old: 12 images · begun 5 h ago'
    ]);
  });

  it('shows a batch of this window with its progress, once, and offers to stop it', async () => {
    listed = [batch('mine', { state: 'running', isHere: true })];
    running = [job('/work/mine.batch.json', { kind: 'batch', progress: { brief: '6 of 12 · step 3/20', detail: '' } })];
    const rows = await tree.getChildren();
    expect(rows.map(textOf)).toEqual(['mine: 6 of 12 · step 3/20']);
    expect(menuOf(rows[0])).toBe('batch:here');
  });

  it('shows a batch that was begun here before the server lists it', async () => {
    running = [job('/work/new.batch.json', { name: 'new.batch.json', kind: 'batch' })];
    expect((await tree.getChildren()).map(textOf)).toEqual(['new.batch.json: batch']);
  });

  it('offers to go on with a stopped batch, and nothing with one that another process runs', async () => {
    listed = [batch('halted'), batch('elsewhere', { state: 'running' })];
    expect((await tree.getChildren()).map(menuOf)).toEqual(['batch:elsewhere', 'batch:stopped']);
  });

  it('shows the images of a batch that is done, and lets it be cleared', async () => {
    listed = [batch('lights', { state: 'done', done: 1, items: 1 })];
    const [row] = await tree.getChildren();
    expect(menuOf(row)).toBe('batch:done');
    const images = await tree.getChildren(row);
    expect(images.map(textOf)).toEqual(['a lighthouse: 1']);
    expect(images.map((image) => tree.getTreeItem(image).command?.command)).toEqual(['vscode.open']);
  });

  it('tells of items that were passed over', async () => {
    listed = [batch('rough', { state: 'done', done: 11, failed: 1 })];
    expect((await tree.getChildren()).map(textOf)).toEqual(['rough: 11 of 12 images · 1 passed over · begun 2 h ago']);
  });

  it('keeps its rows while a batch gets on, so that a click on one is never for nothing', async () => {
    listed = [batch('halted')];
    const rows = await tree.getChildren();
    listed = [batch('halted', { done: 6 })];
    batchesChanged.fire();
    await settled();
    expect(redrawn).toEqual([rows]);
    expect(rows.map(textOf)).toEqual(['halted: stopped · 6 of 12 images']);
  });

  it('has a row come and go with a job', async () => {
    await tree.getChildren();
    running = [job('tiny')];
    jobsChanged.fire('tiny');
    await settled();
    expect(redrawn).toEqual([undefined]);
    expect((await tree.getChildren()).map(textOf)).toEqual(['tiny: pull']);
    running = [];
    jobsChanged.fire('tiny');
    await settled();
    expect(redrawn).toEqual([undefined, undefined]);
  });

  it('draws progress at most twice a second', async () => {
    running = [job('tiny')];
    const rows = await tree.getChildren();
    for (let step = 0; step < 20; step += 1) jobsChanged.fire('tiny');
    await settled();
    expect(redrawn).toEqual([rows]);
  });
});
