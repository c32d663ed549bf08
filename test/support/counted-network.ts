import { resolve } from 'node:path';
import { setEnvironmentData } from 'node:worker_threads';

/** A worker for services, and how many bytes of bodies came in over its connections, read or not. */
export interface CountedNetwork {
  readonly workerScript: string;
  readonly receivedBytes: () => number;
}

/** To be made once in a test, before its services are used: threads look for the count when they start. */
export function countedNetwork(): CountedNetwork {
  const counted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  setEnvironmentData('received bytes', counted);
  return {
    workerScript: resolve(import.meta.dirname, 'counting-worker.cjs'),
    receivedBytes: () => Atomics.load(counted, 0)
  };
}
