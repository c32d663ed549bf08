import { resolve } from 'node:path';
import { setEnvironmentData } from 'node:worker_threads';

/** A worker for services, and how many bytes of bodies came in over its connections, read or not. */
export interface CountedNetwork {
  readonly workerScript: string;
  readonly receivedBytes: () => number;
}

/** What all threads of this process count together, for tests share them. */
const counted = new BigInt64Array(new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT));

/** Counts from now on. To be made before services are used: threads look for the count when they start. */
export function countedNetwork(): CountedNetwork {
  setEnvironmentData('received bytes', counted);
  const before = Atomics.load(counted, 0);
  return {
    workerScript: resolve(import.meta.dirname, 'counting-worker.cjs'),
    receivedBytes: () => Number(Atomics.load(counted, 0) - before)
  };
}
