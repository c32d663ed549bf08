import { closeSync, openSync, readSync, watch } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { CliOptions, CliResult } from '../run-cli';
import { endInTime } from './end-in-time';
import { type CallPlace, callOf, deedOf, startTraced } from './strace';

/**
 * How long a call is held before it is made, in ms: long enough for us to see it, and short enough to do no harm to
 * another thread that comes that far as well.
 */
const HELD_MS = 250;

/** By how much the count of a call may differ from run to run: threads wake each other by `write`, too. */
const VARIANCE: Readonly<Record<string, number>> = { write: 8, openat: 8, pwrite64: 1 };

/** As {@link HELD_MS}, where several calls are held, of which one is the right one. */
const HELD_EACH_MS = 40;

export interface KilledResult extends CliResult {
  /** Whether the process died at the call, before that did anything. */
  readonly isAtCall: boolean;
}

/**
 * Runs the built command line and kills it at one of its calls, if that comes. Strace holds the call and writes it down;
 * it could send the signal by itself, but not while it stops the process for nothing but this call.
 */
export async function runKilledAt(
  words: readonly string[],
  { call, when, deed, nth }: CallPlace,
  options: CliOptions
): Promise<KilledResult> {
  const variance = VARIANCE[call] ?? 0;
  const held = variance === 0 ? HELD_MS : HELD_EACH_MS;
  const range = `when=${Math.max(1, when - variance)}..${when + variance}`;
  const flags = ['-y', '-e', `trace=${call}`, '-e', `inject=${call}:delay_enter=${held}ms:${range}`];
  const traced = startTraced(words, flags, options);
  let seen = 0;
  let killedAt: number | undefined;
  const follower = new LogFollower(traced.log, (line, index) => {
    if (deedOf(line, options.home) !== deed) return;
    seen += 1;
    if (seen !== nth) return;
    killedAt = index;
    kill(Number(callOf(line)?.thread));
  });
  const result = await endInTime(traced);
  follower.close();
  await rm(traced.log);
  return { ...result, isAtCall: killedAt !== undefined && !isMade(follower.lines, killedAt) };
}

/** Whether a call came to its end. @param index of the line that it begins in */
function isMade(lines: readonly string[], index: number): boolean {
  const [line = '', ...later] = lines.slice(index);
  const { thread, call } = callOf(line) ?? {};
  const end = later.find((other) => other.startsWith(`${thread} <... ${call} resumed>`)) ?? line;
  return /\) += (?!\?)/.test(end);
}

/** @param thread any of a process, all of which die */
function kill(thread: number): void {
  try {
    process.kill(thread, 'SIGKILL');
  } catch (error) {
    // It may have gone on and ended by now.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Reads the lines of a log as they are written; of a line that is not whole it tells the beginning. */
class LogFollower {
  readonly lines: string[] = [];
  private readonly file: number;
  private readonly watcher;
  private isBegun = false;

  constructor(
    path: string,
    private readonly onLine: (line: string, index: number) => void
  ) {
    this.file = openSync(path, 'r');
    this.watcher = watch(path, () => this.read());
    this.read();
  }

  close(): void {
    this.watcher.close();
    this.read();
    closeSync(this.file);
  }

  private read(): void {
    const buffer = Buffer.alloc(64 * 1024);
    for (let length = -1; length !== 0; ) {
      length = readSync(this.file, buffer);
      if (length > 0) this.take(buffer.toString('latin1', 0, length));
    }
  }

  private take(text: string): void {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) this.isBegun = false;
      if (part === '') continue;
      if (this.isBegun) this.lines.push(`${this.lines.pop()}${part}`);
      else {
        this.lines.push(part);
        this.onLine(part, this.lines.length - 1);
      }
      this.isBegun = true;
    }
  }
}
