// One large object to a bucket and back, by the product and by the AWS SDK.

import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256OfFile } from '../../../scripts/model-server.mjs';
import { root } from '../../../scripts/processes.mjs';
import { measuredRun } from '../measured-run.mjs';
import { printCosts } from '../pull/costs-table.mjs';
import { FILENAME, pullArguments } from '../pull/product.mjs';
import { writeRandomFile } from '../scratch.mjs';
import { BUCKET, hasCeph, startCeph } from './s3-site.mjs';

/**
 * @typedef {object} ArtifactsBench
 * @property {string} folder empty, removed afterwards
 * @property {number} bytes of the object
 * @property {number} rounds
 * @property {string} program the product's upload
 */

const SDK = path.join(import.meta.dirname, 'sdk-transfer.mjs');

const WORKER = path.join(root, 'dist/worker.js');

/**
 * The product reads the file twice more than the SDK: each part's digest is signed, and the whole is proved.
 * @param {ArtifactsBench} bench
 */
export async function benchPublish({ folder, bytes, rounds, program }) {
  await withSite(folder, bytes, async ({ file, sha256, environment }) => {
    const costs = [];
    for (let round = 0; round < rounds; round += 1) {
      const args = [program, path.join(folder, 'home'), WORKER, `s3://${BUCKET}`, file, `${bytes}`, sha256];
      const ours = await measuredRun(process.execPath, args, environment);
      const theirs = await measuredRun(process.execPath, [SDK, 'put', BUCKET, 'theirs', file], environment);
      costs.push({ ours, theirs });
    }
    printCosts({ title: 'publish', peer: 'lib-storage', wallBudget: '≤ 1.1' }, costs);
  });
}

/**
 * The product verifies what it fetches, and installs it.
 * @param {ArtifactsBench} bench
 */
export async function benchFetch({ folder, bytes, rounds }) {
  await withSite(folder, bytes, async ({ file, sha256, environment }) => {
    await measuredRun(process.execPath, [SDK, 'put', BUCKET, FILENAME, file], environment);
    await rm(file);
    const manifest = path.join(folder, 'bench.manifest.json');
    const entry = { role: 'model', url: `s3://${BUCKET}/${FILENAME}`, filename: FILENAME, sha256, size_bytes: bytes };
    await writeFile(manifest, JSON.stringify({ name: 'bench', files: [entry] }));
    const [home, download] = [path.join(folder, 'home'), path.join(folder, 'download')];
    const costs = [];
    for (let round = 0; round < rounds; round += 1) {
      const ours = await measuredRun(process.execPath, pullArguments(home, manifest), environment);
      await rm(home, { recursive: true });
      const theirs = await measuredRun(process.execPath, [SDK, 'get', BUCKET, FILENAME, download], environment);
      await rm(download);
      costs.push({ ours, theirs });
    }
    printCosts({ title: 'fetch', peer: 'client-s3', wallBudget: '≤ 1.1' }, costs);
  });
}

/** A server of its own for each part, for it keeps in memory what was overwritten. */
async function withSite(folder, bytes, use) {
  if (!hasCeph()) return console.log('skipped: Ceph is not installed');
  const file = path.join(folder, FILENAME);
  await writeRandomFile(file, bytes);
  const site = await startCeph();
  try {
    await use({ file, sha256: await sha256OfFile(file), environment: site.environment });
  } finally {
    await site.close();
  }
}
