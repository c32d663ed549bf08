// A pull from a server that limits each connection, against aria2c with eight connections and its own verification.

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { measuredRun } from '../measured-run.mjs';
import { isInstalled } from './child-server.mjs';
import { printCosts } from './costs-table.mjs';
import { startGenerator } from './generator-server.mjs';
import { FILENAME, pullArguments, writeManifest } from './product.mjs';
import { startThrottle } from './throttle-proxy.mjs';

/** Of each connection. */
const BYTES_PER_SECOND = 40 * 2 ** 20;

/** In each direction, so that an answer takes 30 ms to begin. */
const DELAY_MS = 15;

/** @param {import('./unthrottled.mjs').PullBench} bench */
export async function benchThrottled({ folder, bytes, rounds }) {
  if (!isInstalled('aria2c', '--version')) return console.log('skipped: aria2c is not installed');
  const generator = await startGenerator(bytes);
  const target = Number(new URL(generator.url).port);
  const throttle = await startThrottle({ target, bytesPerSecond: BYTES_PER_SECOND, delayMs: DELAY_MS });
  try {
    const file = { ...generator, url: `http://127.0.0.1:${throttle.port}/${FILENAME}` };
    const manifest = await writeManifest(folder, file);
    printCosts(
      { title: '40 MiB/s each', peer: 'aria2c -x8', wallBudget: '≤ 1.25' },
      await measurePulls(file, manifest, folder, rounds)
    );
  } finally {
    await throttle.close();
    await generator.close();
  }
}

async function measurePulls({ url, sha256 }, manifest, folder, roundCount) {
  const home = path.join(folder, 'home');
  const target = ['--dir', folder, '--out', 'download', '--file-allocation=none'];
  const ranges = ['--max-connection-per-server=8', '--split=8', '--min-split-size=1M'];
  const rounds = [];
  for (let round = 0; round < roundCount; round += 1) {
    const ours = await measuredRun(process.execPath, pullArguments(home, manifest));
    await rm(home, { recursive: true });
    const check = `--checksum=sha-256=${sha256}`;
    const theirs = await measuredRun('aria2c', ['--quiet', '--no-conf', ...target, ...ranges, check, url]);
    await rm(path.join(folder, 'download'));
    rounds.push({ ours, theirs });
  }
  return rounds;
}
