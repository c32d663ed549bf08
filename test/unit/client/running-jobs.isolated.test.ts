import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RunningJobs } from '../../../client/models/running-jobs';

interface Shown {
  readonly title: string;
  readonly cancel: () => void;
  readonly messages: (string | undefined)[];
  isOpen: boolean;
}

/** The notifications that the editor showed. */
const { shown } = vi.hoisted(() => ({ shown: [] as Shown[] }));

vi.mock('vscode', async () => {
  const { EventEmitter } = await import('../../support/tree-editor');
  class Source {
    private readonly cancelled = new EventEmitter<void>();
    readonly token = { onCancellationRequested: this.cancelled.event };
    cancel = () => this.cancelled.fire();
    dispose = () => undefined;
  }
  return {
    EventEmitter,
    CancellationTokenSource: Source,
    ProgressLocation: {},
    window: {
      withProgress: async (
        { title }: { title: string },
        task: (progress: object, token: object) => Promise<unknown>
      ) => {
        const source = new Source();
        const entry: Shown = { title, cancel: source.cancel, messages: [], isOpen: true };
        shown.push(entry);
        const report = ({ message }: { message?: string }) => entry.messages.push(message);
        return task({ report }, source.token).finally(() => (entry.isOpen = false));
      }
    }
  };
});

const PULL = { model: 'one', kind: 'pull', title: 'Pulling one' } as const;

let jobs: RunningJobs;

beforeEach(() => {
  vi.useFakeTimers();
  shown.length = 0;
  jobs = new RunningJobs();
});

afterEach(() => {
  jobs.dispose();
  vi.useRealTimers();
});

it('shows no notification of a job that is over at once, however it ends', async () => {
  const running = jobs.run(PULL, async () => 'done');
  expect(jobs.of('one')).toBeDefined();
  expect(await running).toBe('done');
  await expect(jobs.run(PULL, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await vi.runAllTimersAsync();
  expect(shown).toEqual([]);
  expect(jobs.all()).toEqual([]);
});

it('shows where a job is that takes longer, until it ends', async () => {
  const work = new EventTarget();
  const running = jobs.run(
    PULL,
    () => new Promise<string>((resolve) => work.addEventListener('finish', () => resolve('done')))
  );
  jobs.advance('one', 'pull', { fraction: 0.2, brief: '20 %', detail: '2 MB of 10 MB' });
  await vi.runAllTimersAsync();
  expect(shown).toMatchObject([{ title: 'Pulling one', messages: ['2 MB of 10 MB'], isOpen: true }]);
  jobs.advance('one', 'pull', { fraction: 0.3, brief: '30 %', detail: '3 MB of 10 MB' });
  expect(shown[0]?.messages).toEqual(['2 MB of 10 MB', '3 MB of 10 MB']);
  work.dispatchEvent(new Event('finish'));
  expect(await running).toBe('done');
  expect(shown[0]?.isOpen).toBe(false);
});

it.each(['before', 'after'])('can be cancelled %s its notification is shown', async (when) => {
  const running = jobs.run(
    PULL,
    (token) => new Promise((_, reject) => token.onCancellationRequested(() => reject(new Error('cancelled'))))
  );
  const ending = expect(running).rejects.toThrow('cancelled');
  if (when === 'before') jobs.cancel('one');
  else {
    await vi.runAllTimersAsync();
    shown[0]?.cancel();
  }
  await ending;
  expect(jobs.all()).toEqual([]);
});
