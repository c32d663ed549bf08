// How long it takes to know what a file is.

import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { mebibytes, medianOf, printTable, ratio } from '../figures.mjs';
import { sparseModels, writeSparse } from './sparse-models.mjs';

/** @param {number} value ms */
const ms = (value) => `${value.toFixed(1)} ms`;

/** The parsers of the hub, as whoever uses them would on a file of this machine. */
function peerOf(readers, file, { size }, isGguf) {
  if (isGguf) return () => readers.ggufParser(file);
  return async () => {
    const handle = await open(file);
    const read = async (from, to) => (await handle.read(Buffer.alloc(to - from), 0, to - from, from)).buffer;
    try {
      return await readers.hubParser(read, size);
    } finally {
      await handle.close();
    }
  };
}

// A header is read before anything of it was compiled in the first read of a process.
const FIRST = `
  const [readers, file] = process.argv.slice(1);
  const { readWeights } = require(readers);
  const started = performance.now();
  readWeights(file, { pickles: 'refused' }).then(() => console.log(performance.now() - started));
`;

/** @returns {Promise<number>} ms */
async function firstOfProcess({ alone }, file) {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', FIRST, '--', alone, file]);
  return Number(stdout);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** Nobody pays for the garbage of whoever ran before. @returns {Promise<number>} ms */
async function timed(action) {
  collectGarbage();
  const started = performance.now();
  await action();
  return performance.now() - started;
}

/** @param {import('../weights.mjs').WeightsBench} bench */
export async function benchHeaders({ folder, bytes, rounds, readers }) {
  const rows = [['', 'header', 'ours', 'first of a process', 'with meaning', "the hub's", 'ratio', 'budget']];
  for (const { what, built } of sparseModels(readers, bytes)) {
    const file = path.join(folder, `${what}.bin`);
    await writeSparse(file, built);
    const ours = () => readers.readWeights(file, { pickles: 'refused' });
    const described = async () => readers.describeWeights(await ours());
    const theirs = peerOf(readers, file, built, what.endsWith('GGUF'));
    const times = [];
    for (let round = 0; round < rounds; round += 1) {
      times.push({
        first: await firstOfProcess(readers, file),
        ours: await timed(ours),
        described: await timed(described),
        theirs: await timed(theirs)
      });
    }
    const quotient = medianOf(times, (time) => time.ours / time.theirs);
    const header = mebibytes(built.start.length);
    const median = (key) => ms(medianOf(times, (time) => time[key]));
    const budget = built.start.length > 2 ** 20 ? '≤ 50 ms' : '≤ 30 ms';
    const figures = ['ours', 'first', 'described', 'theirs'].map(median);
    rows.push([what, header, ...figures, ratio(quotient), budget]);
  }
  printTable(rows);
}
