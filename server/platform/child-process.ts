import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrorWithCode } from './system-error';

/** What to start. There is never a shell in between, and nothing of our own environment is inherited. */
export interface ChildOptions {
  readonly file: string;
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Working directory; absent: ours. */
  readonly directory?: string;
  /** Gets every chunk of stdout. The pipe is drained at any speed, so bounding memory is the sink's business. */
  readonly onOutput: (chunk: Uint8Array) => void;
  /** Gets every chunk of stderr. */
  readonly onError: (chunk: Uint8Array) => void;
}

/** How a child ended: an exit code, or the signal that ended it. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningChild {
  readonly pid: number;
  /** Settles when the child is gone and all it wrote has reached the sinks; never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** Ends the child and everything it started, within two seconds; a no-op when it is over. */
  kill(): Promise<void>;
}

/** How long the tree may take to end by itself after SIGTERM, in ms. */
const TERMINATION_MS = 500;

/** How long after the child's end a process that left its group may hold the pipes open, in ms. */
const PIPE_GRACE_MS = 1000;

/** What is left of the two seconds after SIGTERM's share, with a margin, in ms. */
const KILL_MS = 1400;

/**
 * Starts a child in a process group of its own. It ends with this process, unless that is killed.
 * @throws system errors when it cannot be started (ENOENT, EACCES, E2BIG, ETXTBSY, …)
 */
export async function startChild(options: ChildOptions): Promise<RunningChild> {
  const child = spawn(options.file, options.arguments, {
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true
  });
  child.stdout.on('data', options.onOutput);
  child.stderr.on('data', options.onError);
  let isOver = false;
  const ended = new Promise<ChildEnd>((resolve) => {
    child.once('close', (code, signal) => {
      isOver = true;
      resolve({ code, signal });
    });
  });
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error('a started process has an id');
  // After the start only failed signals are reported here, and `kill` finds out about those by waiting.
  child.on('error', () => undefined);
  // Editors that vanish have the server end at once, with no time to clear up.
  const endWithUs = (): void => endAtOnce(pid);
  process.once('exit', endWithUs);
  child.once('exit', () => {
    process.off('exit', endWithUs);
    // Whoever is left in the group would outlive its purpose and hold the pipes.
    signalGroup(pid, 'SIGKILL');
    const release = (): void => {
      child.stdout.destroy();
      child.stderr.destroy();
    };
    // By way of the check phase: what waits in the pipes after a stall of ours is read first.
    const timer = setTimeout(() => setImmediate(release), PIPE_GRACE_MS);
    child.once('close', () => clearTimeout(timer));
  });
  return { pid, ended, kill: async () => (isOver ? undefined : endChild(pid, ended)) };
}

/**
 * Ends a process that leads its own group, and everything in the group, at once. On Windows: its process tree.
 * A no-op when there is none.
 */
export async function endProcessTree(pid: number): Promise<void> {
  if (process.platform === 'win32') await taskkill(pid);
  else signalGroup(pid, 'SIGKILL');
}

async function endChild(pid: number, ended: Promise<ChildEnd>): Promise<void> {
  if (process.platform === 'win32') await taskkill(pid);
  else signalGroup(pid, 'SIGTERM');
  if (await settlesWithin(ended, TERMINATION_MS)) return;
  signalGroup(pid, 'SIGKILL');
  await settlesWithin(ended, KILL_MS);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (process.platform === 'win32') return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // macOS answers EPERM for a group that holds only processes that wait to be reaped.
    if (!isErrorWithCode(error, 'ESRCH', 'EPERM')) throw error;
  }
}

/** Without waiting for anything. On Windows, which has no groups, the process alone. */
function endAtOnce(pid: number): void {
  if (process.platform !== 'win32') return signalGroup(pid, 'SIGKILL');
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrorWithCode(error, 'ESRCH', 'EPERM')) throw error;
  }
}

async function taskkill(pid: number): Promise<void> {
  const system = process.env['SystemRoot'] ?? 'C:\\Windows';
  const killer = spawn(join(system, 'System32', 'taskkill.exe'), ['/PID', String(pid), '/T', '/F'], {
    stdio: 'ignore',
    windowsHide: true
  });
  // A tree goes on whether this cannot be started or fails; nobody could do more about the one than about the other.
  await Promise.race([once(killer, 'close').catch(() => undefined), delay(TERMINATION_MS)]);
}

async function settlesWithin(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const timer = new AbortController();
  const expired = delay(milliseconds, false, { signal: timer.signal }).catch(() => false);
  const settled = promise.then(() => true);
  try {
    return await Promise.race([settled, expired]);
  } finally {
    timer.abort();
  }
}
