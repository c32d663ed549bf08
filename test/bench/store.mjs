// `npm run bench:store`: installed models, each part against its budget or a peer in the same run. `--only` names
// parts, separated by commas.

import { runParts } from './parts.mjs';
import { loadParts } from './store/built-parts.mjs';
import { benchMemory, benchResponsiveness } from './store/load.mjs';
import { benchRemembered } from './store/remembered.mjs';
import { benchVerification } from './store/verification.mjs';

/**
 * @typedef {object} StoreBench
 * @property {string} folder a fresh one
 * @property {number} bytes of the file that is verified
 * @property {number} rounds
 * @property {any} parts the product's, as `loadParts` gives them
 */

await runParts({
  parts: {
    verification: benchVerification,
    remembered: benchRemembered,
    memory: benchMemory,
    responsiveness: benchResponsiveness
  },
  rounds: 3,
  room: 2,
  what: (bytes) => `installed models, ${(bytes / 2 ** 30).toFixed(2)} GiB a file`,
  prepare: async (scratch) => ({ parts: await loadParts(scratch) })
});
