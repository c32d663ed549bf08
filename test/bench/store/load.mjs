// What a deep verification costs others: its peak memory, and the answers of the language server meanwhile.

import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { root } from '../../../scripts/processes.mjs';
import { printResponsiveness, startEditor } from '../editor.mjs';
import { mebibytes, medianOf, printTable } from '../figures.mjs';
import { measuredRun } from '../measured-run.mjs';
import { writeCache } from './written-cache.mjs';

const SMALL_BYTES = 200 * 2 ** 20;

/** @param {import('../store.mjs').StoreBench} bench */
export async function benchMemory({ folder, bytes, rounds, parts }) {
  const rows = [];
  for (const size of [SMALL_BYTES, 2 * bytes]) {
    const home = await cacheOfZeros(folder, size, parts);
    const peaks = [];
    const words = ['--home', home, '--quiet', 'verify', '--force', 'bench'];
    for (let round = 0; round < rounds; round += 1) {
      peaks.push((await measuredRun(process.execPath, [path.join(root, 'dist', 'cli.js'), ...words])).peak);
    }
    const figures = [medianOf(peaks, Number), Math.max(...peaks)].map(mebibytes);
    rows.push([`${(size / 2 ** 20).toFixed(0)} MiB`, ...figures]);
    await rm(home, { recursive: true });
  }
  printTable([['peak memory of a deep verification', 'median', 'highest'], ...rows]);
  console.log('budget: < 150 MB (143.05 MiB) for any size');
}

/** @param {import('../store.mjs').StoreBench} bench */
export async function benchResponsiveness({ folder, bytes, parts }) {
  const home = await cacheOfZeros(folder, 2 * bytes, parts);
  const manifest = path.join(home, 'models', 'bench', 'manifest.json');
  const editor = await startEditor(home, manifest);
  try {
    await printResponsiveness(editor, 'while verifying deeply', () =>
      editor.request('diffusionDock/models/verify', { name: 'bench', depth: 'deep', force: true })
    );
  } finally {
    editor.close();
  }
}

/** A model of one sparse file, which is read as quickly as memory gives zeros. */
async function cacheOfZeros(folder, bytes, { contentKey }) {
  const home = path.join(folder, `zeros-${bytes}`);
  const sha256 = digestOfZeros(bytes);
  await writeCache(home, [{ name: 'bench', files: [{ path: 'bench.gguf', bytes, sha256 }] }], contentKey);
  return home;
}

function digestOfZeros(bytes) {
  const block = Buffer.alloc(2 ** 20);
  const hash = createHash('sha256');
  for (let hashed = 0; hashed < bytes; hashed += block.length) hash.update(block.subarray(0, bytes - hashed));
  return hash.digest('hex');
}
