import { spawnSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nonce } from '../../../server/platform/process-identity';
import type { Random } from '../random';
import { CLI, type CliOptions, type CliResult, startProgram } from '../run-cli';

const OPTIONS = ['-f', '-qq'];

/** Only stops for the calls that are asked for, which is much faster; but then signals are not injected. */
const FAST = '--seccomp-bpf';

/** Whether strace is here and may trace. */
export const HAS_STRACE = spawnSync('strace', [...OPTIONS, FAST, '-o', '/dev/null', 'true']).status === 0;

/** The calls that change something on disk; each is a place to die at or to fail. */
export const MUTATING_CALLS = [
  'openat',
  'mkdir',
  'write',
  'pwrite64',
  'ftruncate',
  'fsync',
  'fdatasync',
  'chmod',
  'fchmod',
  'link',
  'rename',
  'unlink',
  'rmdir',
  'copy_file_range'
];

/** One call of a process: the how-manieth of its kind in the thread that makes it, from 1. */
export interface CallPlace {
  readonly call: string;
  readonly when: number;
  /** Whether only one thread comes that far; else something is also done to the start of Node in another. */
  readonly isDistinct: boolean;
}

export interface TracedResult extends CliResult {
  /** The calls that something was done to, as strace wrote them. */
  readonly injected: readonly string[];
}

/**
 * Runs the built command line and does something to one of its calls, for example `signal=KILL` or `error=ENOSPC`.
 * One pool thread makes all calls of the file system, so that they are counted together.
 */
export async function runInjected(
  words: readonly string[],
  { call, when }: Pick<CallPlace, 'call' | 'when'>,
  what: string,
  options: CliOptions
): Promise<TracedResult> {
  const flags = ['-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${when}`];
  return traced(words, what.startsWith('signal=') ? flags : [FAST, ...flags], options);
}

/** The places at which an undisturbed run makes some calls below a folder. @param calls their names */
export async function callPlaces(
  words: readonly string[],
  calls: readonly string[],
  folder: string,
  options: CliOptions
): Promise<CallPlace[]> {
  const log = logPath(options);
  await runTraced(words, [FAST, '-y', '-e', `trace=${calls.join(',')}`], log, options);
  const text = await readFile(log, 'utf8');
  await rm(log);
  return placesIn(text, folder);
}

function placesIn(text: string, folder: string): CallPlace[] {
  const counts = new Map<string, number>();
  const places: { call: string; when: number; thread: string }[] = [];
  for (const line of text.split('\n')) {
    const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (thread === undefined || call === undefined) continue;
    const when = (counts.get(`${thread} ${call}`) ?? 0) + 1;
    counts.set(`${thread} ${call}`, when);
    if (!line.includes(folder)) continue;
    if (call === 'openat' && !/O_CREAT/.test(line)) continue;
    places.push({ call, when, thread });
  }
  return places.map(({ call, when, thread }) => {
    const others = [...counts].filter(([key]) => key.endsWith(` ${call}`) && key !== `${thread} ${call}`);
    return { call, when, isDistinct: others.every(([, count]) => count < when) };
  });
}

async function traced(words: readonly string[], flags: readonly string[], options: CliOptions): Promise<TracedResult> {
  const log = logPath(options);
  const result = await runTraced(words, flags, log, options);
  const lines = (await readFile(log, 'utf8').catch(() => '')).split('\n');
  await rm(log, { force: true });
  return { ...result, injected: lines.filter((line) => line.includes('(INJECTED')) };
}

function runTraced(words: readonly string[], flags: readonly string[], log: string, options: CliOptions) {
  const environment = { ...options.environment, UV_THREADPOOL_SIZE: '1' };
  const args = [...OPTIONS, '-o', log, ...flags, process.execPath, CLI, ...words];
  return startProgram('strace', args, { ...options, environment }).ended;
}

/** Beside the cache, where it disturbs nobody. */
function logPath({ home }: CliOptions): string {
  return join(`${home}.trace-${nonce()}`);
}

/** All places in an order in which every kind of call comes soon. */
export function mixed(places: readonly CallPlace[], random: Random): CallPlace[] {
  const kinds = [...new Set(places.map(({ call }) => call))];
  const ranked = kinds.flatMap((kind) => {
    const ofKind = places.filter(({ call }) => call === kind).map((place) => ({ place, order: random.next() }));
    return ofKind.toSorted((a, b) => a.order - b.order).map(({ place }, rank) => ({ place, rank }));
  });
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ place }) => place);
}
