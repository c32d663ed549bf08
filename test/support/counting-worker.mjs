// The built worker, which counts the bytes of bodies that come in where `counted-network.ts` looks for them.

import { subscribe } from 'node:diagnostics_channel';
import { getEnvironmentData } from 'node:worker_threads';

const counted = getEnvironmentData('received bytes');

subscribe('undici:request:bodyChunkReceived', ({ chunk }) => Atomics.add(counted, 0, chunk.length));

await import(new URL('../../dist/worker.js', import.meta.url).href);
