// What a pull fetches again after it was killed half-way.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { sha256OfFile, startModelServer } from '../../../scripts/model-server.mjs';
import { mebibytes } from '../figures.mjs';
import { measuredRun } from '../measured-run.mjs';
import { writeRandomFile } from '../scratch.mjs';
import { FILENAME, pullArguments, writeManifest } from './product.mjs';

/** @param {import('./unthrottled.mjs').PullBench} bench */
export async function benchResume({ folder, bytes }) {
  const source = await serveFile(folder, bytes);
  const home = path.join(folder, 'home');
  try {
    await pullAndKill(home, source.manifest, bytes / 2);
    const kept = await partialBytes(path.join(home, '.partial'));
    const tally = source.countAnew();
    await measuredRun(process.execPath, pullArguments(home, source.manifest));
    await rm(home, { recursive: true });
    console.log(`killed half-way: ${mebibytes(kept)} were on disk, ${mebibytes(tally.sent)} were fetched then,`);
    const again = tally.sent - (bytes - kept);
    console.log(`so ${mebibytes(again)} a second time (budget: 1 MiB for each connection)`);
  } finally {
    await source.close();
  }
}

/** Writes the file and its manifest, and serves it; `countAnew` starts a tally of the bytes sent from then on. */
async function serveFile(folder, bytes) {
  const file = path.join(folder, FILENAME);
  await writeRandomFile(file, bytes);
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
  const manifest = await writeManifest(folder, { url, bytes, sha256: await sha256OfFile(file) });
  const countAnew = () => {
    tally = { sent: 0 };
    return tally;
  };
  return { manifest, countAnew, close: server.close };
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
