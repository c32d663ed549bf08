// The most memory that a header takes: one that is nearly as long, and lists nearly as many tensors, as is allowed.

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { mebibytes, medianOf, printTable } from '../figures.mjs';
import { writeSparse } from './sparse-models.mjs';

const SCRIPT = `
  const { readFileSync } = require('node:fs');
  const [readers, file] = process.argv.slice(2);
  const { readWeights } = require(readers);
  // Not what the process that started this one took before.
  const peak = () => Number(/VmHWM:\\s+(\\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
  const done = (what) => console.log(JSON.stringify({ what, bytes: peak() }));
  if (file === undefined) done('nothing');
  else readWeights(file, { pickles: 'refused' }).then(({ tensors }) => done(tensors.length + ' tensors'), (error) => done(error.message));
`;

/** @param {import('../weights.mjs').WeightsBench} bench */
export async function benchMemory({ folder, rounds, readers }) {
  const tensors = Array.from({ length: 90_000 }, (_, index) => ({
    name: `${index}.${'n'.repeat(110)}`,
    dtype: 'F8_E4M3',
    shape: [40_000, 2, 1, 1]
  }));
  const texts = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`text${index}`, 't'.repeat(6_000_000)]));
  const built = readers.safetensorsFile(tensors, texts);
  const file = path.join(folder, 'largest.safetensors');
  await writeSparse(file, built);
  const script = path.join(folder, 'read.cjs');
  await writeFile(script, SCRIPT);
  const run = async (...args) => {
    const { stdout } = await promisify(execFile)(process.execPath, [script, readers.alone, ...args]);
    return JSON.parse(stdout);
  };
  const figures = [];
  for (let round = 0; round < Math.min(rounds, 5); round += 1) {
    figures.push({ idle: await run(), reading: await run(file) });
  }
  const idle = medianOf(figures, ({ idle: { bytes } }) => bytes);
  const reading = medianOf(figures, (figure) => figure.reading.bytes);
  printTable([
    ['', 'header', 'idle', 'reading', 'more', 'budget'],
    [
      figures[0].reading.what,
      mebibytes(built.start.length),
      mebibytes(idle),
      mebibytes(reading),
      mebibytes(reading - idle),
      '≤ 64 MiB'
    ]
  ]);
}
