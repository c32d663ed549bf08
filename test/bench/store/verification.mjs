// Deep verification of installed models against `openssl dgst -sha256` of the same files.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { copyFile, link, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { medianOf, printTable, ratio, seconds } from '../figures.mjs';
import { writeRandomFile } from '../scratch.mjs';
import { openServices, timed } from './built-parts.mjs';
import { bundleFolder, writeCache } from './written-cache.mjs';

/** @param {import('../store.mjs').StoreBench} bench */
export async function benchVerification({ folder, bytes, rounds, parts }) {
  const content = path.join(folder, 'content');
  await writeRandomFile(content, bytes);
  const sha256 = await digestOf(content);
  const home = path.join(folder, 'home');
  const listed = (name) => ({ path: `${name}.gguf`, bytes, sha256 });
  const models = [
    { name: 'one', files: [listed('first')] },
    { name: 'two', files: [listed('first'), listed('second')] }
  ];
  await writeCache(home, models, parts.contentKey);
  const placed = models.map(({ name, files }) =>
    files.map(({ path: inner }) => path.join(bundleFolder(home, name), inner))
  );
  // Both models share the one content, as by an installation.
  for (const file of placed.flat()) await rm(file);
  await rename(content, placed[0][0]);
  await link(placed[0][0], placed[1][0]);
  await copyFile(placed[0][0], placed[1][1]);
  const measured = [];
  for (let round = 0; round < rounds; round += 1) {
    measured.push({
      ours: { one: await verified(parts, home, 'one'), two: await verified(parts, home, 'two') },
      openssl: { one: await hashedByOpenssl(placed[0]), two: await hashedByOpenssl(placed[1]) }
    });
  }
  printRounds(measured);
}

/** Everything is read, as for whoever verifies the first time; the worker is started for it. @returns ms */
async function verified(parts, home, name) {
  const services = openServices(parts, home);
  const model = await parts.findModel(services, name);
  const options = { depth: 'deep', force: true, signal: new AbortController().signal, onProgress: () => undefined };
  let report;
  const { wall } = await timed(async () => {
    report = await parts.verifyModel(services, model, options);
  });
  await services.dispose();
  if (!report.healthy) throw new Error(`${name} is not what was written`);
  return wall;
}

/** All of them at once. @returns ms */
async function hashedByOpenssl(files) {
  const { wall } = await timed(() => Promise.all(files.map(hashByOpenssl)));
  return wall;
}

async function hashByOpenssl(file) {
  const child = spawn('openssl', ['dgst', '-sha256', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error(`openssl ended with status ${status}`);
}

async function digestOf(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest('hex');
}

/** How much more two at once get done than one after the other. */
const gain = ({ one, two }) => (2 * one) / two;

const inSeconds = (value) => seconds(value / 1000);

function printRounds(rounds) {
  const row = (what, figure, format, budget) => [
    what,
    format(medianOf(rounds, ({ ours }) => figure(ours))),
    format(medianOf(rounds, ({ openssl }) => figure(openssl))),
    ratio(medianOf(rounds, ({ ours, openssl }) => figure(ours) / figure(openssl))),
    budget
  ];
  printTable([
    ['deep verification', 'ours', 'openssl', 'ratio', 'budget'],
    row('one file', ({ one }) => one, inSeconds, '≤ 1.15'),
    row('two at once', ({ two }) => two, inSeconds, ''),
    row('gain by two', gain, ratio, '≥ 0.90')
  ]);
}
