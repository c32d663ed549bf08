import type { MessagePort } from 'node:worker_threads';
import type { FromWorker, TaskKind, ToWorker } from './task-protocol';
import { faultOf } from './thread-fault';

/** What a task sees of the pool that started it. */
export interface TaskContext {
  readonly signal: AbortSignal;
  /** Reports how far the task is, in the task's own unit. */
  progress(amount: number): void;
  /** Hears what the starter tells the running task; what was told before is delivered at once. */
  listen(listener: (message: never) => void): void;
}

/** What does a task: takes its input as plain data, gives its result as plain data. */
export type TaskHandler<Kind extends TaskKind> = (
  input: Kind['input'],
  context: TaskContext
) => Promise<Kind['result']>;

type AnyHandler = (input: never, context: TaskContext) => Promise<unknown>;

/** Serves tasks inside a worker thread; several run side by side as far as they wait for input or disk. */
export function serveTasks(port: MessagePort, handlers: Readonly<Record<string, AnyHandler>>): void {
  const running = new Map<number, RunningTask>();
  port.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'start': {
        const task = new RunningTask((answer) => port.postMessage(answer), message.id);
        running.set(message.id, task);
        // Only what is listed: every object also answers to names like `constructor`.
        const handler = Object.hasOwn(handlers, message.task) ? handlers[message.task] : undefined;
        void task.run(handler, message.input).finally(() => running.delete(message.id));
        return;
      }
      case 'tell':
        running.get(message.id)?.hear(message.message);
        return;
      case 'cancel':
        running.get(message.id)?.cancel();
    }
  });
}

class RunningTask {
  private readonly controller = new AbortController();
  private readonly waiting: never[] = [];
  private listener: ((message: never) => void) | undefined;

  constructor(
    private readonly answer: (message: FromWorker<unknown>) => void,
    private readonly id: number
  ) {}

  async run(handler: AnyHandler | undefined, input: never): Promise<void> {
    try {
      if (!handler) throw new Error('no such task');
      const result = await handler(input, {
        signal: this.controller.signal,
        progress: (amount) => this.answer({ type: 'progress', id: this.id, amount }),
        listen: (listener) => {
          this.listener = listener;
          for (const message of this.waiting.splice(0)) listener(message);
        }
      });
      this.answer({ type: 'done', id: this.id, result });
    } catch (error) {
      this.answer({ type: 'failed', id: this.id, fault: faultOf(error) });
    }
  }

  hear(message: never): void {
    if (this.listener) this.listener(message);
    else this.waiting.push(message);
  }

  cancel(): void {
    this.controller.abort();
  }
}
