import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { runCommandLine } from '../../server/cli/command-line';
import { commandLineServices } from '../../server/cli/command-line-services';
import { sharedPool, WORKER_SCRIPT } from './built-worker';
import { sharedNetwork } from './shared-network';

/** The command line as it was built. */
export const CLI = resolve(import.meta.dirname, '../../dist/cli.js');

/** The recorded stand-in for sd-cli. */
export const STAND_IN = resolve(import.meta.dirname, 'stand-in/sd-cli.mjs');

export interface CliOptions {
  readonly home: string;
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface CliResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A command line under way. */
export interface RunningCli {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult>;
}

/** Starts the built command line with an environment that holds nothing of this machine's but PATH. */
export function startCli(words: readonly string[], options: CliOptions): RunningCli {
  return startProgram(process.execPath, [CLI, ...words], options);
}

/** Starts a program that runs the command line, with the same environment. */
export function startProgram(
  program: string,
  args: readonly string[],
  { home, folder, environment }: CliOptions
): RunningCli {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...cliEnvironment(home), ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const ended = once(child, 'close').then(([status, signal]) => ({ status, signal, out, err }));
  return { child, ended };
}

/**
 * Runs a command line to its end in this process, which takes a tenth of what a process of its own does. The environment
 * is that of {@link startCli}.
 */
export async function runCli(
  words: readonly string[],
  { home, folder = process.cwd(), environment }: CliOptions
): Promise<CliResult> {
  const [out, err] = [new Written(), new Written()];
  const whole = { ...cliEnvironment(home), XDG_CACHE_HOME: join(home, '.cache'), ...environment };
  const status = await runCommandLine(words, {
    version: 'of a test',
    out,
    err,
    environment: whole,
    folder,
    signal: new AbortController().signal,
    createServices: (choices) =>
      commandLineServices(choices, {
        environment: whole,
        workerScript: WORKER_SCRIPT,
        pool: sharedPool(),
        startNetwork: sharedNetwork
      })
  });
  return { status, signal: null, out: out.text, err: err.text };
}

/** A stream that keeps what is written. */
class Written extends Writable {
  text = '';

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

/** Nothing of this machine's but PATH. */
function cliEnvironment(home: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], HOME: home, DIFFUSION_DOCK_HOME: home };
}
