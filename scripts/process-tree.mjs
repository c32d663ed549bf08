// Finds and ends what a child process has started, and what that has started in turn. Not for Windows.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often it is looked whether processes are gone, in ms. */
const INTERVAL_MS = 50;

/**
 * Ends a process and all its descendants: politely through the process itself, so that each can end its own children
 * in order, then by force.
 * @param {number} pid
 * @param {number} graceMs how long the polite way may take
 */
export async function endTree(pid, graceMs) {
  // Whoever loses its parent can no longer be found, so the family is listed before it ends.
  const family = new Set([pid, ...descendantsOf(pid)]);
  signalProcess(pid, 'SIGTERM');
  if (await areGone(family, graceMs)) return;
  for (const member of family) for (const descendant of descendantsOf(member)) family.add(descendant);
  for (const member of family) signalProcess(member, 'SIGKILL');
  await areGone(family, graceMs);
}

async function areGone(pids, withinMs) {
  const deadline = Date.now() + withinMs;
  while (runningProcesses().some((running) => pids.has(running.pid))) {
    if (Date.now() > deadline) return false;
    await sleep(INTERVAL_MS);
  }
  return true;
}

/** @returns {number[]} ids of the processes that a process and its children have started */
export function descendantsOf(pid) {
  const all = runningProcesses();
  const below = (parent) => all.flatMap((one) => (one.parent === parent ? [one.pid, ...below(one.pid)] : []));
  return below(pid);
}

/**
 * Processes that have not ended; one that has ended and waits to be reaped does not count.
 * @returns {{ pid: number, parent: number, state: string }[]}
 */
export function runningProcesses() {
  const found = process.platform === 'linux' ? processesFromProc() : processesFromPs();
  return found.filter(({ state }) => !state.startsWith('Z'));
}

function processesFromProc() {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name comes first, in brackets, and may itself hold brackets and spaces.
      const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return [{ pid: Number(pid), parent: Number(parent), state }];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

function processesFromPs() {
  const { stdout, error } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' });
  if (error) throw error;
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [pid, parent, state] = line.trim().split(/\s+/);
      return { pid: Number(pid), parent: Number(parent), state };
    });
}

/**
 * Sends a signal; a no-op when the process is gone.
 * @param {number} pid negative for a process group
 * @param {NodeJS.Signals} signal
 */
export function signalProcess(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
