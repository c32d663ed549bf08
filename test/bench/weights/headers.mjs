// How long it takes to know what a file is.

import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
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

// In the first read of a process, nothing of the reader was compiled yet.
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

/** @returns {Promise<number>} ms */
async function timed(action) {
  const started = performance.now();
  await action();
  return performance.now() - started;
}

/** All rounds of one thing before those of the next: whoever takes turns with a peer pays for its garbage. */
async function median(rounds, measure) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) times.push(await measure());
  return medianOf(times, (time) => time);
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
    const figures = [
      await median(rounds, () => timed(ours)),
      await median(rounds, () => firstOfProcess(readers, file)),
      await median(rounds, () => timed(described)),
      await median(rounds, () => timed(theirs))
    ];
    const [own, , , peer] = figures;
    const budget = built.start.length > 2 ** 20 ? '≤ 50 ms' : '≤ 30 ms';
    rows.push([what, mebibytes(built.start.length), ...figures.map(ms), ratio(own / peer), budget]);
  }
  printTable(rows);
}
