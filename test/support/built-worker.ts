import { resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import { WorkerPool } from '../../server/platform/workers/worker-pool';

/** The worker as it was built, before all tests. */
export const WORKER_SCRIPT = resolve(import.meta.dirname, '../../dist/worker.js');

/** A pool of real workers that ends with the test. */
export function workerPool(): WorkerPool {
  const pool = new WorkerPool(WORKER_SCRIPT);
  onTestFinished(() => pool.dispose());
  return pool;
}
