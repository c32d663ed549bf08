// A pull with verification over loopback, from nginx, against curl and then openssl.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { sha256OfFile } from '../../../scripts/model-server.mjs';
import { measuredRun, sumOfCosts } from '../measured-run.mjs';
import { writeRandomFile } from '../scratch.mjs';
import { printCosts } from './costs-table.mjs';
import { hasNginx, startNginx } from './nginx-site.mjs';
import { FILENAME, pullArguments, writeManifest } from './product.mjs';

/**
 * @typedef {object} PullBench what every part of the benchmark gets
 * @property {string} folder empty, removed afterwards
 * @property {number} bytes of the file that is pulled
 * @property {number} rounds
 */

/** How much longer than its peers a pull may take. */
const BUDGETS = { http: '≤ 1.35', https: '≤ 1.15' };

/** @param {PullBench} bench */
export async function benchUnthrottled({ folder, bytes, rounds }) {
  if (!hasNginx()) return console.log('skipped: nginx is not installed');
  const file = path.join(folder, FILENAME);
  await writeRandomFile(file, bytes);
  const sha256 = await sha256OfFile(file);
  const site = await startNginx(folder);
  try {
    for (const scheme of ['http', 'https']) {
      const url = `${site[scheme]}/${FILENAME}`;
      const manifest = await writeManifest(folder, { url, bytes, sha256 });
      printCosts(
        { title: scheme, peer: 'curl, openssl', wallBudget: BUDGETS[scheme] },
        await measurePulls({ url, manifest, certificate: site.certificate }, folder, rounds)
      );
    }
  } finally {
    await site.close();
  }
}

async function measurePulls({ url, manifest, certificate }, folder, roundCount) {
  const home = path.join(folder, 'home');
  const download = path.join(folder, 'download');
  const trust = { NODE_EXTRA_CA_CERTS: certificate };
  const rounds = [];
  for (let round = 0; round < roundCount; round += 1) {
    const ours = await measuredRun(process.execPath, pullArguments(home, manifest), trust);
    await rm(home, { recursive: true });
    const curl = await measuredRun('curl', ['-sS', '--fail', '--cacert', certificate, '-o', download, url]);
    const openssl = await measuredRun('openssl', ['dgst', '-sha256', download]);
    await rm(download);
    rounds.push({ ours, theirs: sumOfCosts([curl, openssl]) });
  }
  return rounds;
}
