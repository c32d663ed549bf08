// What the benchmarks with several parts share: which parts run, and each in a fresh folder.

import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuild, ensureDependencies, runMain } from '../../scripts/setup.mjs';
import { printHead } from './figures.mjs';
import { withScratch } from './scratch.mjs';

/**
 * Runs the parts of a benchmark that `--only` names, else all, one after the other.
 * @param {object} bench
 * @param {Record<string, (options: any) => Promise<void>>} bench.parts each gets `folder`, `bytes`, `rounds` and what
 *   `prepare` gave
 * @param {number} [bench.bytes] by default
 * @param {number} bench.rounds by default
 * @param {number} bench.room how many times the bytes the scratch folder has to hold
 * @param {(bytes: number) => string} bench.what for the head line
 * @param {(scratch: string) => Promise<object>} [bench.prepare] what all parts get besides
 */
export async function runParts({
  parts,
  bytes: usualBytes = 2 ** 31,
  rounds: usualRounds,
  room,
  what,
  prepare = async () => ({})
}) {
  await runMain(async () => {
    const { values } = parseArgs({
      options: {
        bytes: { type: 'string', default: String(usualBytes) },
        rounds: { type: 'string', default: String(usualRounds) },
        only: { type: 'string' }
      }
    });
    const [bytes, rounds, names] = [Number(values.bytes), Number(values.rounds), chosen(parts, values.only)];
    ensureDependencies();
    await ensureBuild({ production: true });
    await withScratch(room * bytes, async (scratch) => {
      printHead(`${what(bytes)}, medians of ${rounds} rounds, in ${path.dirname(scratch)}`);
      const more = await prepare(scratch);
      for (const name of names) {
        console.log(`── ${name}`);
        const folder = path.join(scratch, name);
        await mkdir(folder);
        await parts[name]({ folder, bytes, rounds, ...more });
        await rm(folder, { recursive: true });
        console.log('');
      }
    });
    return 0;
  });
}

function chosen(parts, only) {
  const names = only === undefined ? Object.keys(parts) : only.split(',');
  const unknown = names.find((name) => !Object.hasOwn(parts, name));
  if (unknown !== undefined) throw new Error(`no part "${unknown}"; there are ${Object.keys(parts).join(', ')}`);
  return names;
}
