// The peak memory of a pull, for a small and for a large file: it is to be the same.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { mebibytes, medianOf, printTable } from '../figures.mjs';
import { measuredRun } from '../measured-run.mjs';
import { startGenerator } from './generator-server.mjs';
import { pullArguments, writeManifest } from './product.mjs';

const SMALL_BYTES = 200 * 2 ** 20;

/** @param {import('./unthrottled.mjs').PullBench} bench */
export async function benchMemory({ folder, bytes, rounds }) {
  const rows = [];
  for (const size of [SMALL_BYTES, 2 * bytes]) {
    const peaks = await measurePeaks(size, folder, rounds);
    rows.push([
      `${(size / 2 ** 20).toFixed(0)} MiB`,
      mebibytes(medianOf(peaks, Number)),
      mebibytes(Math.max(...peaks))
    ]);
  }
  printTable([['peak memory', 'median', 'highest'], ...rows]);
  console.log('budget: < 150 MB (143.05 MiB) for any size');
}

async function measurePeaks(size, folder, rounds) {
  const generator = await startGenerator(size);
  const home = path.join(folder, 'home');
  try {
    const manifest = await writeManifest(folder, generator);
    const peaks = [];
    for (let round = 0; round < rounds; round += 1) {
      peaks.push((await measuredRun(process.execPath, pullArguments(home, manifest))).peak);
      await rm(home, { recursive: true });
    }
    return peaks;
  } finally {
    await generator.close();
  }
}
