import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';

/** What became of the machine's memory while something ran; `unknown` where the platform does not tell. */
export type MemoryVerdict = 'ran-out' | 'enough' | 'unknown';

/** How often free memory is looked at, in ms. */
const INTERVAL_MS = 500;

/** Below this share of free memory systems begin to end programs. */
const SCARCE_SHARE = 0.04;

/** Watches the machine's memory while a program runs that may use all of it. */
export class MemoryWatch {
  readonly #killsBefore = outOfMemoryKills();
  readonly #timer = setInterval(() => this.#look(), INTERVAL_MS).unref();
  #leastShare = 1;

  /** Ends the watch. Linux counts the processes that it killed for their memory; elsewhere little free memory tells. */
  async end(): Promise<MemoryVerdict> {
    this.#look();
    this.stop();
    const [before, after] = [await this.#killsBefore, await outOfMemoryKills()];
    if (before !== undefined && after !== undefined) return after > before ? 'ran-out' : 'enough';
    return this.#leastShare < SCARCE_SHARE ? 'ran-out' : 'unknown';
  }

  /** Ends the watch without a verdict. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#leastShare = Math.min(this.#leastShare, freemem() / totalmem());
  }
}

/** How many processes the kernel has killed for want of memory since the machine started; undefined: it does not tell. */
async function outOfMemoryKills(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const [, count] = /^oom_kill (\d+)$/m.exec(await readFile('/proc/vmstat', 'utf8')) ?? [];
    return count === undefined ? undefined : Number(count);
  } catch {
    return undefined;
  }
}
