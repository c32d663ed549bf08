// Runs a command and measures what it takes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** GNU time; the BSDs' has other options, so that only wall time is measured there. */
const GNU_TIME = '/usr/bin/time';
const hasGnuTime = process.platform === 'linux' && existsSync(GNU_TIME);

/**
 * @typedef {object} Cost
 * @property {number} wall seconds
 * @property {number} cpu seconds of user and system; NaN where it cannot be measured
 * @property {number} peak resident bytes; NaN where it cannot be measured
 */

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env] beside that of this process
 * @returns {Promise<Cost>}
 * @throws when the command fails
 */
export async function measuredRun(command, args, env = {}) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'measured-run-'));
  const report = path.join(folder, 'cost');
  const wrapped = hasGnuTime ? [GNU_TIME, '-f', '%U %S %M', '-o', report, command, ...args] : [command, ...args];
  try {
    const started = performance.now();
    const child = spawn(wrapped[0], wrapped.slice(1), {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env }
    });
    let errors = '';
    child.stderr.on('data', (data) => {
      errors += data;
    });
    const [status] = await once(child, 'close');
    const wall = (performance.now() - started) / 1000;
    if (status !== 0) throw new Error(`${command} ended with status ${status}:\n${errors}`);
    if (!hasGnuTime) return { wall, cpu: Number.NaN, peak: Number.NaN };
    const [user, system, kilobytes] = (await readFile(report, 'utf8')).split(' ').map(Number);
    return { wall, cpu: user + system, peak: kilobytes * 1024 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What commands take that run one after the other.
 * @param {Cost[]} costs
 * @returns {Cost}
 */
export function sumOfCosts(costs) {
  const sum = (key) => costs.reduce((total, cost) => total + cost[key], 0);
  return { wall: sum('wall'), cpu: sum('cpu'), peak: Math.max(...costs.map(({ peak }) => peak)) };
}
