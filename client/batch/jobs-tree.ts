import { type Disposable, EventEmitter, type TreeDataProvider, type TreeItem } from 'vscode';
import type { BatchSummary } from '../../shared/batch';
import type { RunningJob, RunningJobs } from '../models/running-jobs';
import type { BatchList } from './batch-list';
import { jobItem } from './job-item';
import { type BatchNode, type JobNode, jobId } from './job-node';

/** A row that is drawn anew takes the mouse away from its buttons, so progress shows at most this often. */
const REDRAW_MS = 500;

/** Rows, whose facts change while they stay. */
interface ShownBatch extends BatchNode {
  batch: BatchSummary;
}

interface ShownJob {
  readonly kind: 'job';
  job: RunningJob;
}

type Row = ShownBatch | ShownJob;

export interface JobsTreeOptions {
  /** Whether somebody sees the rows. */
  readonly isVisible: () => boolean;
  /** Is told when the batches cannot be listed. */
  readonly onTrouble: (thrown: unknown) => void;
}

/** The view of jobs: what runs in this window, and the batches of this machine, the latest first. */
export class JobsTree implements TreeDataProvider<JobNode>, Disposable {
  private readonly changed = new EventEmitter<JobNode[] | undefined>();
  private readonly subscriptions: readonly Disposable[];
  private redraw: NodeJS.Timeout | undefined;
  private rows: readonly Row[] = [];
  /** Set while VS Code has not asked for the rows, or knows that they are others: it need not be told again. */
  private isStale = true;

  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly batches: BatchList,
    private readonly jobs: RunningJobs,
    private readonly options: JobsTreeOptions
  ) {
    this.subscriptions = [batches.onDidChange(() => void this.update()), jobs.onDidChange((name) => this.follow(name))];
  }

  getTreeItem(node: JobNode): TreeItem {
    return jobItem(node, node.kind === 'batch' ? this.jobs.of(node.batch.file) : undefined);
  }

  async getChildren(parent?: JobNode): Promise<JobNode[]> {
    if (parent) return parent.kind === 'batch' ? this.imagesOf(parent) : [];
    this.isStale = false;
    try {
      this.rows = this.wanted(await this.batches.read());
    } catch (error) {
      this.rows = [];
      this.options.onTrouble(error);
    }
    return [...this.rows];
  }

  private async imagesOf({ batch }: BatchNode): Promise<JobNode[]> {
    try {
      const images = await this.batches.imagesOf(batch);
      return images.map((image, at) => ({ kind: 'batch-image', batch, image, position: at + 1 }));
    } catch (error) {
      this.options.onTrouble(error);
      return [];
    }
  }

  dispose(): void {
    clearTimeout(this.redraw);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
  }

  private wanted(batches: readonly BatchSummary[]): readonly Row[] {
    const others = this.jobs.all().filter(({ model }) => !batches.some(({ file }) => file === model));
    const ordered = batches
      .toSorted((one, other) => other.startedAtUnixMs - one.startedAtUnixMs)
      .map((batch): ShownBatch => ({ kind: 'batch', batch }));
    return [
      ...ordered.filter(({ batch }) => batch.state === 'running'),
      ...others.map((job): ShownJob => ({ kind: 'job', job })),
      ...ordered.filter(({ batch }) => batch.state !== 'running')
    ];
  }

  /** Draws what is known now. Rows that stay are only drawn anew, so that clicks on their buttons arrive. */
  private async update(): Promise<void> {
    if (this.isStale) return;
    const batches = this.options.isVisible() ? await this.batches.read().catch(() => undefined) : undefined;
    const wanted = batches && this.wanted(batches);
    if (!wanted || wanted.map(jobId).join('\n') !== this.rows.map(jobId).join('\n')) {
      this.isStale = true;
      this.changed.fire(undefined);
      return;
    }
    for (const [at, row] of this.rows.entries()) {
      const now = wanted[at];
      if (row.kind === 'batch' && now?.kind === 'batch') row.batch = now.batch;
      if (row.kind === 'job' && now?.kind === 'job') row.job = now.job;
    }
    if (this.rows.length > 0) this.changed.fire([...this.rows]);
  }

  /** A job that begins or ends is a row that comes or goes; one that is under way is drawn anew. */
  private follow(name: string): void {
    const job = this.jobs.of(name);
    const row = this.rows.find((other) => subjectOf(other) === name);
    if (!job || !row) void this.update();
    else this.redraw ??= setTimeout(() => this.drawRunning(), REDRAW_MS);
  }

  private drawRunning(): void {
    this.redraw = undefined;
    const running = this.rows.filter((row) => this.jobs.of(subjectOf(row)) !== undefined);
    if (running.length > 0) this.changed.fire([...running]);
  }
}

/** What the job of a row works on. */
function subjectOf(row: Row): string {
  return row.kind === 'batch' ? row.batch.file : row.job.model;
}
