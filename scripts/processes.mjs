// Child processes of the scripts: always an argument list, never a shell.

import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs a command in the repository's folder to its end, with its output on ours.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {number} exit status; 1 for a death by signal
 */
export function runVisibly(command, args, options) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) throw error;
  return status ?? 1;
}

/**
 * Runs a command in the repository's folder to its end and keeps what it prints.
 * @param {string} command
 * @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ status: number, stdout: string, output: string }>} `output`: both streams as they came
 */
export function runQuietly(command, args, { env = process.env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout = [];
    const output = [];
    child.stdout.on('data', (chunk) => {
      stdout.push(chunk);
      output.push(chunk);
    });
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.once('error', reject);
    child.once('close', (status) => {
      resolve({ status: status ?? 1, stdout: String(Buffer.concat(stdout)), output: String(Buffer.concat(output)) });
    });
  });
}

/**
 * The script behind a package's command, to be run with this Node: works without a shell on every platform.
 * @param {string} packageFile path within node_modules, for example `vitest/vitest.mjs`
 * @returns {string}
 */
export function packageScript(packageFile) {
  return path.join(root, 'node_modules', packageFile);
}

/**
 * From now on, signals that ask to end (Ctrl-C, a closed terminal) no longer end this process by themselves.
 * @returns {Promise<undefined>} settles with the first one; further ones change nothing
 */
export function interruption() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve(undefined));
  });
}
