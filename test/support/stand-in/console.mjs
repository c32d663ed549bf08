import { once } from 'node:events';

const COLOURS = { DEBUG: 37, INFO: 34, WARN: 35, ERROR: 31 };
const BAR_WIDTH = 50;

/** The exit status of a program that lost its reader, as a shell reports death by SIGPIPE. */
const BROKEN_PIPE_STATUS = 141;

/**
 * What is written to, and ended by a signal.
 * @typedef {{ stdout: NodeJS.WritableStream, stderr: NodeJS.WritableStream, kill: (signal: string) => void }} Host
 */

/** @type {Host} */
const THIS_PROCESS = {
  stdout: process.stdout,
  stderr: process.stderr,
  kill: (signal) => process.kill(process.pid, signal)
};

/**
 * Writes lines and bars the way the recorded program does: one write per event, errors on stderr, the rest on stdout.
 * Every method resolves when the reader has taken the bytes, so that a slow reader slows the run down.
 */
export class Console {
  #colour = false;
  #host;

  /** @param {Host} host this process, unless a test has something else */
  constructor(host = THIS_PROCESS) {
    this.#host = host;
    for (const stream of [host.stdout, host.stderr]) {
      stream.on('error', () => process.exit(BROKEN_PIPE_STATUS));
    }
  }

  /** Colours the level tags from here on (`--color`). */
  useColour() {
    this.#colour = true;
  }

  /** Writes one log line; `source` is `file:line` as recorded. ERROR goes to stderr. */
  async log(level, source, text) {
    const tag = `[${level.padEnd(5)}]`;
    const shown = this.#colour ? `\u001B[${COLOURS[level]};1m${tag}\u001B[0m` : tag;
    const [file, line] = source.split(':');
    await this.write(level === 'ERROR' ? 'stderr' : 'stdout', `${shown} ${file}:${line.padEnd(4)} - ${text}\n`);
  }

  info(source, text) {
    return this.log('INFO', source, text);
  }

  warn(source, text) {
    return this.log('WARN', source, text);
  }

  error(source, text) {
    return this.log('ERROR', source, text);
  }

  /** Says on stderr, outside any recorded shape, what the stand-in cannot do. */
  async refuse(text) {
    await this.write('stderr', `stand-in: ${text}\n`);
  }

  /** Draws one state of a bar; the line ends only when `done` reaches `total`. */
  async bar(kind, done, total, rate) {
    const mark = kind === 'load' ? '#' : '=';
    const filled = Math.floor((done * BAR_WIDTH) / total);
    const head = done < total ? (kind === 'load' ? '#' : '>') : '';
    const cells = (mark.repeat(filled) + head).padEnd(BAR_WIDTH);
    const end = done === total ? '\n' : '';
    await this.write('stdout', `\r  |${cells}| ${done}/${total} - ${rate}\u001B[K${end}`);
  }

  /** Writes text or bytes to `stdout` or `stderr` and waits until they are accepted. */
  async write(streamName, content) {
    const stream = this.#host[streamName];
    if (!stream.write(content)) await once(stream, 'drain');
  }

  /** Ends the program by a signal, whether or not everything was read. */
  kill(signal) {
    this.#host.kill(signal);
  }

  /** Resolves when everything written so far has left this process. */
  async flush() {
    for (const stream of [this.#host.stdout, this.#host.stderr]) {
      await new Promise((resolve) => {
        stream.write('', resolve);
      });
    }
  }
}

/** Formats the speed of a sampling step of `seconds` as the recordings do: `9.04it/s` or `1.26s/it`. */
export function stepRate(seconds) {
  return seconds > 1 ? `${seconds.toFixed(2)}s/it` : `${(1 / seconds).toFixed(2)}it/s`;
}
