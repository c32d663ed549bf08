// `npm run bench:store`: what the README promises of installed models, each part against its budget or a peer in the
// same run. `--only` names parts, separated by commas.

import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild, ensureDependencies, runMain } from '../../scripts/setup.mjs';
import { printHead } from './figures.mjs';
import { withScratch } from './scratch.mjs';
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

/** @type {Record<string, (bench: StoreBench) => Promise<void>>} */
const PARTS = {
  verification: benchVerification,
  remembered: benchRemembered,
  memory: benchMemory,
  responsiveness: benchResponsiveness
};

function chosenParts(only) {
  const names = only === undefined ? Object.keys(PARTS) : only.split(',');
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) throw new Error(`no part "${unknown}"; there are ${Object.keys(PARTS).join(', ')}`);
  return names;
}

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      bytes: { type: 'string', default: String(2 ** 31) },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string' }
    }
  });
  const [bytes, rounds, names] = [Number(values.bytes), Number(values.rounds), chosenParts(values.only)];
  ensureDependencies();
  await ensureBuild({ production: true });
  await withScratch(2 * bytes, async (scratch) => {
    const what = `installed models, ${(bytes / 2 ** 30).toFixed(2)} GiB a file`;
    printHead(`${what}, medians of ${rounds} rounds, in ${path.dirname(scratch)}`);
    const parts = await loadParts(scratch);
    for (const name of names) {
      console.log(`── ${name}`);
      const folder = path.join(scratch, name);
      await mkdir(folder);
      await PARTS[name]({ folder, bytes, rounds, parts });
      await rm(folder, { recursive: true });
      console.log('');
    }
  });
  return 0;
});
