// Servers of the benchmarks run in processes of their own, so that they do not compete with what measures.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} ChildServer
 * @property {number} port of 127.0.0.1
 * @property {() => Promise<void>} close
 */

/**
 * Starts a script of ours, which prints its port, and what else it has to say, as JSON in its first line.
 * @param {string} script
 * @param {object} options handed over as JSON
 * @returns {Promise<ChildServer>}
 */
export async function startScript(script, options) {
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { ...JSON.parse(line), close: () => endOf(child) };
}

/**
 * Starts a program and waits until it takes connections.
 * @param {string} program
 * @param {string[]} args
 * @param {number} port that it was told to listen on
 * @returns {Promise<ChildServer>}
 */
export async function startProgram(program, args, port) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`${program} ended with status ${child.exitCode}`);
    await sleep(10);
  }
  return { port, close: () => endOf(child) };
}

/** Whether a program can be run; the words are to make it end at once. */
export function isInstalled(program, ...words) {
  return spawnSync(program, words, { stdio: 'ignore' }).error === undefined;
}

async function endOf(child) {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function answers(port) {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
