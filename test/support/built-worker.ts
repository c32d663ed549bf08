import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { HASH_TASK } from '../../server/platform/workers/hash-task';
import { WorkerPool } from '../../server/platform/workers/worker-pool';

/** The worker as it was built, before all tests. */
export const WORKER_SCRIPT = resolve(import.meta.dirname, '../../dist/worker.js');

let shared: WorkerPool | undefined;

/** Workers that the tests of a process share, for most do less than it takes to start one. They end with it. */
export function sharedPool(): WorkerPool {
  shared ??= new WorkerPool(WORKER_SCRIPT);
  return shared;
}

/** Lets all workers that tests share start, for those who count what is open. */
export async function sharedPoolStarted(): Promise<void> {
  const tasks = [1, 2].map(() => sharedPool().start(HASH_TASK, { path: WORKER_SCRIPT, grows: false }));
  await Promise.all(tasks.map(({ result }) => result));
}

/** A pool of real workers that ends with the test. */
export function workerPool(): WorkerPool {
  const pool = new WorkerPool(WORKER_SCRIPT);
  onTestFinished(() => pool.dispose());
  return pool;
}
