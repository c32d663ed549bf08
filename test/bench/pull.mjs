// `npm run bench:pull`: what the README promises of pulls, each part against a peer in the same run. `--only` names
// parts, separated by commas.

import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild, ensureDependencies, runMain } from '../../scripts/setup.mjs';
import { printHead } from './figures.mjs';
import { benchMemory } from './pull/memory.mjs';
import { benchResponsiveness } from './pull/responsiveness.mjs';
import { benchResume } from './pull/resume.mjs';
import { benchThrottled } from './pull/throttled.mjs';
import { benchUnthrottled } from './pull/unthrottled.mjs';
import { withScratch } from './scratch.mjs';

/** @type {Record<string, (bench: import('./pull/unthrottled.mjs').PullBench) => Promise<void>>} */
const PARTS = {
  unthrottled: benchUnthrottled,
  throttled: benchThrottled,
  resume: benchResume,
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
      rounds: { type: 'string', default: '5' },
      only: { type: 'string' }
    }
  });
  const [bytes, rounds, parts] = [Number(values.bytes), Number(values.rounds), chosenParts(values.only)];
  ensureDependencies();
  await ensureBuild({ production: true });
  await withScratch(3 * bytes, async (scratch) => {
    const what = `pull of ${(bytes / 2 ** 30).toFixed(2)} GiB over loopback`;
    printHead(`${what}, medians of ${rounds} rounds, written to ${path.dirname(scratch)}`);
    for (const part of parts) {
      console.log(`── ${part}`);
      const folder = path.join(scratch, part);
      await mkdir(folder);
      await PARTS[part]({ folder, bytes, rounds });
      await rm(folder, { recursive: true });
      console.log('');
    }
  });
  return 0;
});
