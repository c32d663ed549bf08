// `npm run bench:weights`: reading the headers of files that are as long as models, against the hub's own parsers.
// `--only` names parts, separated by commas.

import { runParts } from './parts.mjs';
import { loadReaders } from './weights/built-readers.mjs';
import { benchHeaders } from './weights/headers.mjs';
import { benchMemory } from './weights/memory.mjs';

/**
 * @typedef {object} WeightsBench
 * @property {string} folder a fresh one
 * @property {number} bytes of each file; nearly all of them are a hole
 * @property {number} rounds
 * @property {any} readers as `loadReaders` gives them
 */

await runParts({
  parts: { headers: benchHeaders, memory: benchMemory },
  bytes: 10 * 2 ** 30,
  rounds: 15,
  room: 0,
  what: (bytes) => `headers of files of ${(bytes / 2 ** 30).toFixed(2)} GiB, nearly all of them holes`,
  prepare: async (scratch) => ({ readers: await loadReaders(scratch) })
});
