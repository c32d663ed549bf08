import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

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
    env: { PATH: process.env['PATH'], HOME: home, DIFFUSION_DOCK_HOME: home, ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const ended = once(child, 'close').then(([status, signal]) => ({ status, signal, out, err }));
  return { child, ended };
}

/** Runs the built command line to its end. */
export function runCli(words: readonly string[], options: CliOptions): Promise<CliResult> {
  return startCli(words, options).ended;
}
