import type { ThreadFault } from './thread-fault';

/**
 * A kind of task: its name in the pool, and what goes in and comes out. Both ends are of one build, so that nothing of
 * it needs to be checked; a schema would double what it costs to start a thread.
 */
export interface TaskKind {
  readonly name: string;
  readonly input: unknown;
  readonly result: unknown;
}

/** From the pool to a worker. What is `never` is for the task alone to say. */
export type ToWorker<Unknown = never> =
  | { readonly type: 'start'; readonly id: number; readonly task: string; readonly input: Unknown }
  | { readonly type: 'tell'; readonly id: number; readonly message: Unknown }
  | { readonly type: 'cancel'; readonly id: number };

/** From a worker to the pool, likewise. */
export type FromWorker<Unknown = never> =
  | { readonly type: 'progress'; readonly id: number; readonly amount: number }
  | { readonly type: 'done'; readonly id: number; readonly result: Unknown }
  | { readonly type: 'failed'; readonly id: number; readonly fault: ThreadFault };
