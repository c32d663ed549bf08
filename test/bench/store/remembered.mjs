// A second verification of a large cache that did not change.

import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { medianOf, milliseconds, printTable } from '../figures.mjs';
import { openServices, timed } from './built-parts.mjs';
import { bundleFolder, writeCache } from './written-cache.mjs';

const FILES = 1000;

/** 100 GB over all files. */
const FILE_BYTES = 100_000_000;

/** @param {import('../store.mjs').StoreBench} bench */
export async function benchRemembered({ folder, rounds, parts }) {
  const home = path.join(folder, 'home');
  const files = Array.from({ length: FILES }, (_, index) => ({ path: `part-${index}.gguf`, bytes: FILE_BYTES }));
  await writeCache(home, [{ name: 'all', files }], parts.contentKey);
  await rememberAll(parts, home);
  const rows = [];
  for (let round = 0; round < rounds; round += 1) rows.push(await measure(parts, home));
  const row = (what, figure, budget) => [
    what,
    milliseconds(medianOf(rows, (round) => figure(round).wall)),
    milliseconds(medianOf(rows, (round) => figure(round).cpu)),
    budget
  ];
  printTable([
    ['verified again, 1,000 files of 100 MB each', 'wall', 'CPU', 'budget'],
    row('proofs read from disk', ({ cold }) => cold, '< 100 ms'),
    row('again in the same process', ({ warm }) => warm, '')
  ]);
  console.log('The proofs were written by the product’s own store after a stat of each file; nothing was read.');
}

/** Nobody reads 100 GB for a benchmark: what a first verification would have found is remembered without it. */
async function rememberAll(parts, home) {
  const services = openServices(parts, home);
  const { proofs } = services;
  const { manifest } = await parts.findModel(services, 'all');
  for (const { filename, sha256 } of manifest.files) {
    const file = path.join(bundleFolder(home, 'all'), filename);
    await proofs.remember(file, await lstat(file, { bigint: true }), { digest: sha256, readAt: Date.now() });
  }
  await services.dispose();
}

async function measure(parts, home) {
  const services = openServices(parts, home);
  const verify = async () => {
    const model = await parts.findModel(services, 'all');
    const options = { depth: 'deep', signal: new AbortController().signal, onProgress: () => undefined };
    const { healthy, bytes } = await parts.verifyModel(services, model, options);
    if (!healthy || bytes > 0) throw new Error('the files were read');
  };
  const rounds = { cold: await timed(verify), warm: await timed(verify) };
  await services.dispose();
  return rounds;
}
