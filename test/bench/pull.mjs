// `npm run bench:pull`: a pull with verification over loopback against curl and then openssl; and what a pull
// fetches again after it was killed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { sha256OfFile, startModelServer } from '../../scripts/model-server.mjs';
import { root } from '../../scripts/processes.mjs';
import { ensureBuild, ensureDependencies, runMain } from '../../scripts/setup.mjs';
import { mebibytes, medianOf, printHead, printTable, ratio, seconds } from './figures.mjs';
import { measuredRun, sumOfCosts } from './measured-run.mjs';
import { withScratch, writeRandomFile } from './scratch.mjs';

const FILENAME = 'bench.bin';
const cli = path.join(root, 'dist', 'cli.js');

const pullArguments = (home, manifest) => [cli, '--home', home, '--json', 'pull', manifest];

/** Writes the file and its manifest, and serves it; `countAnew` starts a tally of the bytes sent from then on. */
async function serveFile(folder, bytes) {
  const manifest = path.join(folder, 'manifest.json');
  await writeRandomFile(path.join(folder, FILENAME), bytes);
  let tally = { sent: 0 };
  const server = await startModelServer({
    folder,
    onRequest: ({ socket }, response) => {
      // An answer counts where it was asked for, even if it is cut off only later.
      const own = tally;
      const before = socket.bytesWritten;
      response.once('close', () => {
        own.sent += socket.bytesWritten - before;
      });
    }
  });
  const url = `${server.origin}/${FILENAME}`;
  // The server finds its ETag by hashing, which is no part of any transfer.
  await fetch(url, { method: 'HEAD' });
  const sha256 = await sha256OfFile(path.join(folder, FILENAME));
  const file = { role: 'model', url, filename: FILENAME, sha256, size_bytes: bytes };
  await writeFile(manifest, JSON.stringify({ name: 'bench', files: [file] }));
  const countAnew = () => {
    tally = { sent: 0 };
    return tally;
  };
  return { url, manifest, countAnew, close: server.close };
}

async function measurePulls({ url, manifest }, folder, roundCount) {
  const home = path.join(folder, 'home');
  const download = path.join(folder, 'download');
  const rounds = [];
  for (let round = 0; round < roundCount; round += 1) {
    const ours = await measuredRun(process.execPath, pullArguments(home, manifest));
    await rm(home, { recursive: true });
    const curl = await measuredRun('curl', ['-sS', '--fail', '-o', download, url]);
    const openssl = await measuredRun('openssl', ['dgst', '-sha256', download]);
    await rm(download);
    rounds.push({ ours, theirs: sumOfCosts([curl, openssl]) });
  }
  return rounds;
}

function printRounds(rounds) {
  const row = (what, key, format, budget) => [
    what,
    format(medianOf(rounds, ({ ours }) => ours[key])),
    format(medianOf(rounds, ({ theirs }) => theirs[key])),
    ratio(medianOf(rounds, ({ ours, theirs }) => ours[key] / theirs[key])),
    budget
  ];
  printTable([
    ['', 'ours', 'curl, openssl', 'ratio', 'budget'],
    row('wall time', 'wall', seconds, '≤ 1.35'),
    row('CPU time', 'cpu', seconds, ''),
    row('peak memory', 'peak', mebibytes, '< 150 MB')
  ]);
}

/** Kills a pull half-way and finishes it with another. */
async function measureResume(source, folder, bytes) {
  const home = path.join(folder, 'home');
  await pullAndKill(home, source.manifest, bytes / 2);
  const kept = await partialBytes(path.join(home, '.partial'));
  const tally = source.countAnew();
  await measuredRun(process.execPath, pullArguments(home, source.manifest));
  await rm(home, { recursive: true });
  return { kept, fetched: tally.sent, again: tally.sent - (bytes - kept) };
}

async function pullAndKill(home, manifest, atBytes) {
  const child = spawn(process.execPath, pullArguments(home, manifest), { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    if (JSON.parse(line).totalReceivedBytes >= atBytes) child.kill('SIGKILL');
  }
  const [, signal] = await ended;
  if (signal !== 'SIGKILL') throw new Error('the pull was over before it could be killed; try more --bytes');
}

/** What the one partial holds on disk; holes in it do not count. */
async function partialBytes(folder) {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(
    names.map(async (name) => {
      const entry = await stat(path.join(folder, name));
      return entry.isFile() ? Math.min(entry.size, entry.blocks * 512) : 0;
    })
  );
  return Math.max(...sizes);
}

await runMain(async () => {
  const { values } = parseArgs({
    options: { bytes: { type: 'string', default: String(2 ** 31) }, rounds: { type: 'string', default: '3' } }
  });
  const bytes = Number(values.bytes);
  ensureDependencies();
  await ensureBuild({ production: true });
  printHead(`pull of ${(bytes / 2 ** 30).toFixed(2)} GiB over loopback http, medians of ${values.rounds} rounds`);
  await withScratch(3 * bytes, async (folder) => {
    const source = await serveFile(folder, bytes);
    try {
      printRounds(await measurePulls(source, folder, Number(values.rounds)));
      const { kept, fetched, again } = await measureResume(source, folder, bytes);
      console.log(`\nkilled half-way: ${mebibytes(kept)} were on disk, ${mebibytes(fetched)} were fetched then,`);
      console.log(`so ${mebibytes(again)} a second time (budget: 1 MiB for each connection)`);
    } finally {
      await source.close();
    }
  });
  return 0;
});
