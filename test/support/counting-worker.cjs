// The built worker, which counts the bytes of bodies that come in where `counted-network.ts` looks for them. No module:
// those take a thread longer to start.

const { subscribe } = require('node:diagnostics_channel');
const { getEnvironmentData } = require('node:worker_threads');

const counted = getEnvironmentData('received bytes');

subscribe('undici:request:bodyChunkReceived', ({ chunk }) => Atomics.add(counted, 0, BigInt(chunk.length)));

module.exports = require('../../dist/worker.js');
