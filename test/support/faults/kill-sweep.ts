import { cp } from 'node:fs/promises';
import { resolve } from 'node:path';
import { crc32 } from 'node:zlib';
import { Random } from '../random';
import { KillFigures } from './kill-figures';
import { IS_LONG, SEED, wantedChain } from './kill-wishes';
import type { Lane } from './lane';

/** After so many chains that failed, more of them would say nothing new. */
const MOST_FAILURES = 10;

/** Where the long run keeps the caches of chains that failed. */
const KEPT = resolve(import.meta.dirname, '../../../.cache/killed-pulls');

/** A pull that is killed, maybe again and again, and then comes to its end. What is random in it is its own. */
export interface Chain {
  /** From 0. */
  readonly number: number;
  readonly random: Random;
  /** What was done so far, for whoever reads of a failure. */
  readonly steps: string[];
}

/** How many kills and chains there have to be at least. */
export interface SweepSize {
  readonly kills: number;
  readonly chains?: number;
}

/** Plays chains of kills on several lanes at once, each of which can be repeated alone. */
export class KillSweep {
  readonly figures: KillFigures;
  private readonly failures: string[] = [];

  /** @param kind of the kills, one word: it names a chain together with its number */
  constructor(
    private readonly kind: string,
    private readonly size: SweepSize
  ) {
    this.figures = new KillFigures(kind, size.kills);
  }

  /** @throws Error that tells of every chain that failed, and how to play it again */
  async run(lanes: readonly Lane[], play: (lane: Lane, chain: Chain) => Promise<void>): Promise<void> {
    const numbers = this.numbers();
    await Promise.all(
      lanes.map(async (lane) => {
        for (const number of numbers) await this.attempt(number, lane, play);
      })
    );
    this.figures.print();
    if (this.failures.length > 0) throw new Error(this.failures.join('\n\n'));
  }

  private *numbers(): Generator<number> {
    const wanted = wantedChain(this.kind);
    if (wanted === 'none') return;
    if (wanted !== 'all') return yield wanted;
    for (let number = 0; !this.isEnough(number); number += 1) yield number;
  }

  private isEnough(chains: number): boolean {
    if (this.failures.length >= MOST_FAILURES) return true;
    return this.figures.kills >= this.size.kills && chains >= (this.size.chains ?? 0);
  }

  private async attempt(number: number, lane: Lane, play: (lane: Lane, chain: Chain) => Promise<void>): Promise<void> {
    const steps: string[] = [];
    try {
      await play(lane, { number, steps, random: new Random(crc32(`${SEED} ${this.kind} ${number}`)) });
      this.figures.requireDeaths();
    } catch (error) {
      const told = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const name = `${this.kind}:${number}`;
      const again = `npm run faults:long -- --seed ${SEED} --chain ${name}`;
      const failure = `Chain ${name} of seed ${SEED} failed after: ${steps.join(', ')}\n${told}\nAgain: ${again}`;
      this.failures.push(failure);
      if (IS_LONG) await this.keep(lane, `${SEED}-${this.kind}-${number}`, failure);
    }
  }

  /** Says at once what failed, and keeps its cache: hours may pass until the end. */
  private async keep(lane: Lane, name: string, failure: string): Promise<void> {
    const folder = resolve(KEPT, name);
    console.error(`${failure}\nIts cache is kept in ${folder}`);
    await cp(lane.home, folder, { recursive: true, force: true });
  }
}
