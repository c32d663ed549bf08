// `npm run bench:hash`: deep verification of a large file by the product's hasher, against `openssl dgst -sha256`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../../scripts/processes.mjs';
import { ensureBuild, ensureDependencies, runMain } from '../../scripts/setup.mjs';
import { medianOf, printHead, printTable, ratio, seconds } from './figures.mjs';
import { withScratch, writeRandomFile } from './scratch.mjs';

const require = createRequire(import.meta.url);

/** The hasher as the product composes it, built from its sources; its threads run the built worker. */
async function loadHasher(folder) {
  const { build } = await import('esbuild');
  const contents = `
    export { createHasher } from './server/platform/hasher';
    export { WorkerPool } from './server/platform/workers/worker-pool';`;
  const outfile = path.join(folder, 'hasher.js');
  const stdin = { contents, resolveDir: root, loader: 'ts' };
  await build({ stdin, outfile, bundle: true, platform: 'node', format: 'cjs', mainFields: ['module', 'main'] });
  const { createHasher, WorkerPool } = require(outfile);
  return async (files) => {
    const pool = new WorkerPool(path.join(root, 'dist', 'worker.js'));
    const hasher = createHasher(pool);
    await Promise.all(files.map((file) => hasher.hash(file)));
    await pool.dispose();
  };
}

async function hashByOpenssl(files) {
  await Promise.all(
    files.map(async (file) => {
      const child = spawn('openssl', ['dgst', '-sha256', file], { stdio: ['ignore', 'ignore', 'inherit'] });
      const [status] = await once(child, 'exit');
      if (status !== 0) throw new Error(`openssl ended with status ${status}`);
    })
  );
}

/** @returns {Promise<number>} seconds */
async function timed(action) {
  const started = performance.now();
  await action();
  return (performance.now() - started) / 1000;
}

/** How much more two at once get done than one after the other. */
const gain = ({ one, two }) => (2 * one) / two;

function printRounds(rounds) {
  const row = (what, [ours, theirs], format, budget) => [
    what,
    format(medianOf(rounds, ours)),
    format(medianOf(rounds, theirs)),
    ratio(medianOf(rounds, (round) => ours(round) / theirs(round))),
    budget
  ];
  printTable([
    ['', 'ours', 'openssl', 'ratio', 'budget'],
    row('one file', [({ ours }) => ours.one, ({ openssl }) => openssl.one], seconds, '≤ 1.15'),
    row('two at once', [({ ours }) => ours.two, ({ openssl }) => openssl.two], seconds, ''),
    row('gain by two', [({ ours }) => gain(ours), ({ openssl }) => gain(openssl)], ratio, '≥ 0.90')
  ]);
}

await runMain(async () => {
  const { values } = parseArgs({
    options: { bytes: { type: 'string', default: String(2 ** 31) }, rounds: { type: 'string', default: '3' } }
  });
  const bytes = Number(values.bytes);
  ensureDependencies();
  await ensureBuild({ production: true });
  printHead(`hash of ${(bytes / 2 ** 30).toFixed(2)} GiB from the page cache, medians of ${values.rounds} rounds`);
  await withScratch(2 * bytes, async (folder) => {
    const hashByUs = await loadHasher(folder);
    const files = ['first', 'second'].map((name) => path.join(folder, name));
    await writeRandomFile(files[0], bytes);
    await copyFile(files[0], files[1]);
    await hashByOpenssl(files);
    const rounds = [];
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const measure = async (hash) => ({
        one: await timed(() => hash([files[0]])),
        two: await timed(() => hash(files))
      });
      rounds.push({ ours: await measure(hashByUs), openssl: await measure(hashByOpenssl) });
    }
    printRounds(rounds);
  });
  return 0;
});
