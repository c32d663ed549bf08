import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { nonce } from '../../../server/platform/process-identity';
import type { Random } from '../random';
import { CLI, type CliOptions, type CliResult, type RunningCli, startProgram } from '../run-cli';

const OPTIONS = ['-f', '-qq'];

/** Only stops for the calls that are asked for, which is much faster; but then no signals are injected. */
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
  /** What it does to which file, the same in every run. */
  readonly deed: string;
  /** The how-manieth call it is that does so, from 1. */
  readonly nth: number;
}

export interface TracedResult extends CliResult {
  /** The calls that something was done to, as strace wrote them. */
  readonly injected: readonly string[];
}

/** A traced command line under way. */
export interface TracedCli extends RunningCli {
  /** Where strace writes the calls down, each before it is made. */
  readonly log: string;
}

/**
 * Runs the built command line and does something to one of its calls, for example `error=ENOSPC`. One pool thread makes
 * all calls of the file system, so that they are counted together.
 */
export async function runInjected(
  words: readonly string[],
  { call, when }: Pick<CallPlace, 'call' | 'when'>,
  what: string,
  options: CliOptions
): Promise<TracedResult> {
  const { log, ended } = startTraced(
    words,
    ['-e', `trace=${call}`, '-e', `inject=${call}:${what}:when=${when}`],
    options
  );
  const result = await ended;
  const lines = (await readFile(log, 'utf8').catch(() => '')).split('\n');
  await rm(log, { force: true });
  return { ...result, injected: lines.filter((line) => line.includes('(INJECTED')) };
}

/** Starts the built command line under strace. Whoever does so removes the log. */
export function startTraced(words: readonly string[], flags: readonly string[], options: CliOptions): TracedCli {
  // Beside the cache, where it disturbs nobody.
  const log = `${options.home}.trace-${nonce()}`;
  writeFileSync(log, '');
  const environment = { ...options.environment, UV_THREADPOOL_SIZE: '1' };
  const args = [...OPTIONS, FAST, '-o', log, ...flags, process.execPath, CLI, ...words];
  return { log, ...startProgram('strace', args, { ...options, environment }) };
}

/** The places at which an undisturbed run makes some calls below a folder. @param calls their names */
export async function callPlaces(
  words: readonly string[],
  calls: readonly string[],
  folder: string,
  options: CliOptions
): Promise<CallPlace[]> {
  const { log, ended } = startTraced(words, ['-y', '-e', `trace=${calls.join(',')}`], options);
  await ended;
  const text = await readFile(log, 'utf8');
  await rm(log);
  return placesIn(text, folder);
}

/** The thread and the call that a line of a log begins with; nothing for the end of a call that was told before. */
export function callOf(line: string): { readonly thread: string; readonly call: string } | undefined {
  const [, thread, call] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
  return thread === undefined || call === undefined ? undefined : { thread, call };
}

function placesIn(text: string, folder: string): CallPlace[] {
  const counts = new Map<string, number>();
  const deeds = new Map<string, number>();
  const places: (Omit<CallPlace, 'isDistinct'> & { thread: string })[] = [];
  for (const line of text.split('\n')) {
    const { thread, call } = callOf(line) ?? {};
    if (thread === undefined || call === undefined) continue;
    const when = (counts.get(`${thread} ${call}`) ?? 0) + 1;
    counts.set(`${thread} ${call}`, when);
    const deed = deedOf(line, folder);
    if (deed === undefined) continue;
    const nth = (deeds.get(deed) ?? 0) + 1;
    deeds.set(deed, nth);
    places.push({ call, when, thread, deed, nth });
  }
  return places.map(({ thread, ...place }) => {
    const { call, when } = place;
    const others = [...counts].filter(([key]) => key.endsWith(` ${call}`) && key !== `${thread} ${call}`);
    return { ...place, isDistinct: others.every(([, count]) => count < when) };
  });
}

/**
 * What the call in a line does to which file, without what is another in each run; undefined for one that does not
 * change anything below the folder.
 */
export function deedOf(line: string, folder: string): string | undefined {
  const { call } = callOf(line) ?? {};
  if (call === undefined || (call === 'openat' && !line.includes('O_CREAT'))) return undefined;
  const [, ...paths] = (line.split(' = ')[0] ?? '').split(folder);
  if (paths.length === 0) return undefined;
  const names = paths.map((rest) => rest.replace(/[">].*/, '').replaceAll(/[0-9a-f]{16,}|[^/]*~[^/]*/g, '*'));
  return [call, ...names].join(' ');
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
