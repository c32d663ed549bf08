import {
  type CancellationToken,
  CancellationTokenSource,
  type Disposable,
  EventEmitter,
  ProgressLocation,
  window
} from 'vscode';
import { Failure } from '../../shared/failure';

export type JobKind =
  | 'plan'
  | 'pull'
  | 'verify'
  | 'heal'
  | 'generate'
  | 'drop'
  | 'install'
  | 'convert'
  | 'publish'
  | 'batch';

/** How far a job is. */
export interface JobProgress {
  /** 0 to 1; absent while nobody can tell. */
  readonly fraction?: number;
  /** A few words for lists and the status bar: "42 % · 3.1 MB/s". */
  readonly brief: string;
  /** A sentence fragment for the notification. */
  readonly detail: string;
  /** Set while a pull stands still until somebody resumes it. */
  readonly isPaused?: true;
}

/** A job that is under way. */
export interface RunningJob {
  /** What it works on: a model's name, or what else no two jobs may work on. */
  readonly model: string;
  /** What it is called in lists. */
  readonly name: string;
  readonly kind: JobKind;
  /** What it does at the moment: a healing verifies, then pulls, then verifies again. */
  readonly doing: JobKind;
  readonly progress: JobProgress | undefined;
  /** The latest preview of the image that is being made: a PNG in base64. */
  readonly preview: string | undefined;
}

interface Entry extends RunningJob {
  doing: JobKind;
  preview: string | undefined;
  progress: JobProgress | undefined;
  readonly cancellation: CancellationTokenSource;
  /** Hands progress on to the notification, once there is one. */
  show: (progress: JobProgress) => void;
}

/**
 * What is done sooner gets no notification: VS Code would show it for most of a second all the same, on top of what the
 * job came to. Rows and the status bar show every job at once.
 */
const QUIET_MS = 1000;

const DOING: Readonly<Record<JobKind, string>> = {
  plan: 'being looked up',
  pull: 'being pulled',
  verify: 'being verified',
  heal: 'being healed',
  generate: 'making an image',
  drop: 'being removed',
  install: 'being installed',
  convert: 'being converted',
  publish: 'being published',
  batch: 'being run'
};

/** Jobs that are told of as others are: a healing verifies and pulls, a conversion is a run of the engine. */
const MADE_OF: Readonly<Partial<Record<JobKind, readonly JobKind[]>>> = {
  heal: ['verify', 'pull'],
  convert: ['generate']
};

/** What runs at the moment: one job for each model, shown in a notification that can cancel it when it takes long. */
export class RunningJobs implements Disposable {
  private readonly entries = new Map<string, Entry>();
  private readonly changed = new EventEmitter<string>();

  /** Fires with the model's name when its job begins, advances or ends. */
  readonly onDidChange = this.changed.event;

  of(model: string): RunningJob | undefined {
    return this.entries.get(model);
  }

  all(): readonly RunningJob[] {
    return [...this.entries.values()];
  }

  /** The pulls that stand still, or those that do not; a healing is one while it fetches. */
  pulls({ paused }: { readonly paused: boolean }): readonly RunningJob[] {
    const isPaused = ({ progress }: RunningJob): boolean => progress?.isPaused === true;
    return this.all().filter((job) => job.doing === 'pull' && isPaused(job) === paused);
  }

  /**
   * Runs a job until it ends, or is cancelled by its notification or {@link cancel}.
   * @param job `name`: what lists call it; absent: by its model
   * @throws what the work throws, and Failure('busy') when the model has a job already
   */
  async run<T>(
    { model, kind, title, name = model }: { model: string; kind: JobKind; title: string; name?: string },
    work: (token: CancellationToken) => Promise<T>
  ): Promise<T> {
    const other = this.entries.get(model);
    if (other) {
      throw new Failure('busy', `${name} is ${DOING[other.kind]} already.`, { nextStep: 'Wait until that is done.' });
    }
    const entry: Entry = {
      model,
      name,
      kind,
      doing: kind,
      progress: undefined,
      preview: undefined,
      cancellation: new CancellationTokenSource(),
      show: () => undefined
    };
    this.entries.set(model, entry);
    this.changed.fire(model);
    const working = this.finish(entry, work(entry.cancellation.token));
    return (await isSettledWithin(QUIET_MS, working)) ? working : announce(title, entry, working);
  }

  /** Takes news of a job; news of jobs that we did not start, or that are over, are nobody's. */
  advance(model: string, kind: JobKind, progress: JobProgress): void {
    const entry = this.entries.get(model);
    if (!entry || !(entry.kind === kind || MADE_OF[entry.kind]?.includes(kind))) return;
    entry.doing = kind;
    entry.progress = progress;
    entry.show(progress);
    this.changed.fire(model);
  }

  /** Takes a preview of the image that a job makes; it is shown with the next progress. */
  showPreview(model: string, preview: string): void {
    const entry = this.entries.get(model);
    if (entry) entry.preview = preview;
  }

  cancel(model: string): void {
    this.entries.get(model)?.cancellation.cancel();
  }

  dispose(): void {
    for (const { cancellation } of this.entries.values()) cancellation.cancel();
    this.changed.dispose();
  }

  private async finish<T>(entry: Entry, work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      this.entries.delete(entry.model);
      entry.cancellation.dispose();
      this.changed.fire(entry.model);
    }
  }
}

/** Whether work ends in a while, be it well or not. @param most ms */
async function isSettledWithin(most: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), most);
  });
  const settled = work.then(
    () => true,
    () => true
  );
  try {
    return await Promise.race([settled, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/** Shows a job in a notification that can cancel it, from where it is now. */
function announce<T>(title: string, entry: Entry, working: Promise<T>): Thenable<T> {
  const where = { location: ProgressLocation.Notification, title, cancellable: entry.kind !== 'drop' };
  return window.withProgress(where, (notification, token) => {
    token.onCancellationRequested(() => entry.cancellation.cancel());
    let shown = 0;
    entry.show = ({ fraction = 0, detail }) => {
      const increment = Math.max(0, fraction - shown) * 100;
      shown = Math.max(shown, fraction);
      notification.report({ message: detail, increment });
    };
    if (entry.progress) entry.show(entry.progress);
    return working;
  });
}
