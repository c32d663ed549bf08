import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

const FIXTURES = new URL('../../../fixtures/sd-cli/', import.meta.url);
const RUNS = new URL('runs/', FIXTURES);
const UNREPLAYED = new URL('unreplayed/', FIXTURES);

const RECORDED_VERSION = 'stable-diffusion.cpp version master-827-97d2990+, commit 97d29908';
const STAND_IN_VERSION =
  'stable-diffusion.cpp version stand-in (replays recordings of master-827-97d2990), commit 97d29908';

/** A run of the real program: what it was given, how it ended, which files it wrote, and both streams. */
export interface RecordedRun {
  readonly note: string;
  readonly argv: readonly string[];
  readonly code: number | null;
  readonly signal: string | null;
  readonly files: readonly string[];
  readonly stdout: string;
  readonly stderr: string;
}

/** The names of all stored runs that the stand-in replays. */
export function recordedRunNames(): readonly string[] {
  return namesIn(RUNS);
}

/** The names of all stored runs. */
export function allRecordedRunNames(): readonly string[] {
  return [...namesIn(RUNS), ...namesIn(UNREPLAYED)].toSorted();
}

/** When which characters of a recorded run's stdout came: pairs of milliseconds and a length, in order. */
export type RecordedTimeline = readonly (readonly [milliseconds: number, length: number])[];

/** The timelines of some of the runs. */
export function recordedTimelines(): Readonly<Record<string, RecordedTimeline>> {
  return JSON.parse(readFileSync(new URL('timelines.json', FIXTURES), 'utf8')) as Record<string, RecordedTimeline>;
}

/** Reads one run, with the usage text and the lists of missing tensors put back. */
export function recordedRun(name: string): RecordedRun {
  const path = [RUNS, UNREPLAYED].map((folder) => new URL(`${name}.json`, folder)).find((file) => existsSync(file));
  if (!path) throw new Error(`no run ${name} is recorded`);
  const stored = JSON.parse(readFileSync(path, 'utf8')) as Omit<RecordedRun, 'stdout' | 'stderr'> & {
    readonly stdout: readonly string[];
    readonly stderr: readonly string[];
  };
  const usage = readFileSync(new URL('usage.txt', FIXTURES), 'utf8').trimEnd();
  return {
    ...stored,
    stdout: stored.stdout.join('\n').replace('<usage>', usage).replace(RECORDED_VERSION, STAND_IN_VERSION),
    stderr: stored.stderr
      .join('\n')
      .replace(/<missing (.+) (\S+)>/, (_, part: string, list: string) => missing(part, list))
  };
}

/** The text inside an image of some runs: run, file, text. */
export function recordedParameters(): readonly [string, { readonly file: string; readonly text: string }][] {
  const stored = readFileSync(new URL('parameters.json', FIXTURES), 'utf8');
  return Object.entries(JSON.parse(stored) as Record<string, { file: string; text: string }>);
}

/**
 * Takes out of a stream what depends on the speed of a machine, and nothing else: the states of a loading bar before
 * its end (it shows one every 200 ms), rates, and the seconds that a phase took.
 */
export function withoutTimes(stream: string): string {
  return stream
    .replaceAll(/\r {2}\|#+ +\| \d+\/\d+ - \d+\.\d\d[MG]B\/s.\[K/g, '')
    .replaceAll(/(\| \d+\/\d+ - )\d+\.\d\d(?:it\/s|s\/it)(?=.\[K)/g, '$1<rate>')
    .replaceAll(/(\| \d+\/\d+ - )\d+\.\d\d[MG]B\/s(?=.\[K)/g, '$1<rate>')
    .replaceAll(/((?:taking|after|completed in|read:|memcpy:|convert:|copy_to_backend:) )\d+\.\d\ds/g, '$1<time>');
}

function namesIn(folder: URL): string[] {
  return readdirSync(folder)
    .map((file) => basename(file, '.json'))
    .toSorted();
}

function missing(part: string, list: string): string {
  const names = readFileSync(new URL(`tensors/${list}.txt`, FIXTURES), 'utf8')
    .trimEnd()
    .split('\n');
  return names
    .map((name) => `[ERROR] model_manager.cpp:640  - ${part} tensor '${name}' not in model metadata`)
    .join('\n');
}
