import { appendFileSync } from 'node:fs';
import { type Log, type LogFields, logLine } from '../platform/log';
import { fileFailure } from '../platform/system-error';

/**
 * A log that is appended to a file, a line each with its time; several processes may write to one. Written at once, so
 * that a killed command has told everything.
 * @throws Failure when the file cannot be written
 */
export function fileLog(path: string, now: () => number): Log {
  const write =
    (level: string) =>
    (text: string, fields?: LogFields): void => {
      appendLine(path, `${new Date(now()).toISOString()} ${level} ${logLine(text, fields)}\n`);
    };
  // A file that cannot be written is told before anything is done.
  appendLine(path, '');
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

function appendLine(path: string, line: string): void {
  try {
    appendFileSync(path, line);
  } catch (error) {
    throw fileFailure(error, 'The log cannot be written.', path);
  }
}

/** For commands that nobody wants a log of: they show events themselves. */
export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
