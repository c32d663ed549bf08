import { Worker } from 'node:worker_threads';
import { cancelled } from '../../../shared/failure';
import type { FromWorker, TaskKind, ToWorker } from './task-protocol';
import { errorOf } from './thread-fault';

/** A task under way in a worker. */
export interface StartedTask<Result = unknown> {
  readonly result: Promise<Result>;
  /** Tells the running task something; nothing happens once it has ended. */
  tell(message: unknown): void;
}

export interface TaskOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((amount: number) => void) | undefined;
}

/** Buffers lie outside of the heap, so a worker needs little of it; without a limit each would take 16 MB more. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 128 };

/** More than two hashing threads gain nothing on the machines measured. */
const MOST_WORKERS = 2;

/** Runs tasks in at most two worker threads, started when first needed; they never keep the process alive. */
export class WorkerPool {
  private readonly workers: PooledWorker[] = [];
  private nextId = 1;

  /** @param script the bundled worker, an absolute path handed in by the composition root */
  constructor(private readonly script: string) {}

  /** Starts a task by name. Its result rejects with `Failure('cancelled')` as soon as the signal aborts. */
  start<Kind extends TaskKind>(
    task: Kind['name'],
    input: Kind['input'],
    options: TaskOptions = {}
  ): StartedTask<Kind['result']> {
    const id = this.nextId;
    this.nextId += 1;
    return this.leastLoaded().start<Kind>(id, task, input, options);
  }

  /** Ends all workers; what runs is rejected. */
  async dispose(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker.end()));
  }

  private leastLoaded(): PooledWorker {
    const idle = this.workers.find((worker) => worker.load === 0);
    if (idle) return idle;
    if (this.workers.length < MOST_WORKERS) {
      const worker = new PooledWorker(this.script, () => this.workers.splice(this.workers.indexOf(worker), 1));
      this.workers.push(worker);
      return worker;
    }
    return this.workers.reduce((least, worker) => (worker.load < least.load ? worker : least));
  }
}

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: ((amount: number) => void) | undefined;
}

class PooledWorker {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, Waiting>();

  constructor(script: string, onGone: () => void) {
    this.worker = new Worker(script, { resourceLimits: RESOURCE_LIMITS });
    this.worker.unref();
    this.worker.on('message', (message: FromWorker) => this.hear(message));
    const gone = (error: unknown): void => {
      if (!this.ended) onGone();
      this.ended = true;
      for (const task of this.waiting.values()) task.reject(error);
      this.waiting.clear();
    };
    this.worker.on('error', gone);
    this.worker.on('exit', (code) => gone(new Error(`the worker ended with code ${code}`)));
  }

  private ended = false;

  get load(): number {
    return this.waiting.size;
  }

  start<Kind extends TaskKind>(
    id: number,
    task: Kind['name'],
    input: Kind['input'],
    { signal, onProgress }: TaskOptions
  ): StartedTask<Kind['result']> {
    const post = (message: ToWorker<unknown>): void => this.worker.postMessage(message);
    const result = new Promise<Kind['result']>((resolve, reject) => {
      const settle = (): void => {
        this.waiting.delete(id);
        signal?.removeEventListener('abort', abort);
        if (this.waiting.size === 0) this.worker.unref();
      };
      const abort = (): void => {
        post({ type: 'cancel', id });
        settle();
        reject(cancelled('The task'));
      };
      if (signal?.aborted) {
        reject(cancelled('The task'));
        return;
      }
      // First, for it throws on what cannot be handed to a thread; the answer comes in a later turn anyway.
      post({ type: 'start', id, task, input });
      signal?.addEventListener('abort', abort);
      this.waiting.set(id, {
        resolve: (value: Kind['result']) => {
          settle();
          resolve(value);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
        onProgress
      });
      this.worker.ref();
    });
    return { result, tell: (message) => this.waiting.has(id) && post({ type: 'tell', id, message }) };
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.worker.terminate();
  }

  private hear(message: FromWorker): void {
    const task = this.waiting.get(message.id);
    if (!task) return;
    switch (message.type) {
      case 'progress':
        task.onProgress?.(message.amount);
        return;
      case 'done':
        task.resolve(message.result);
        return;
      case 'failed':
        task.reject(errorOf(message.fault));
    }
  }
}
