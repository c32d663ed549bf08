import type { CliResult } from '../run-cli';

const ASKED_KILLS = process.env['DIFFUSION_DOCK_KILLS'];

/** How many kills are wanted in all: some dozens, or what the long run asks for. */
export const WANTED_KILLS = Number(ASKED_KILLS ?? 40);

/** How many of the places of a sweep are tried: so many, or all that there are in the long run. */
export function placesOfSweep(usual: number): number {
  return ASKED_KILLS === undefined ? usual : Number.POSITIVE_INFINITY;
}

/** Counts what a sweep of kills did, and prints it in the long run. */
export class KillFigures {
  private readonly startedAt = performance.now();
  private readonly byPlace = new Map<string, number>();
  private chains = 0;
  private bytesAgain = 0;
  private mostBytesAgain = 0;
  private total = 0;
  private survivals = 0;

  constructor(private readonly title: string) {}

  get kills(): number {
    return this.total;
  }

  killed(place = 'any'): void {
    this.total += 1;
    this.byPlace.set(place, (this.byPlace.get(place) ?? 0) + 1);
  }

  /** A run ended by itself: before the call or the moment came, which must not be the rule. */
  survived({ status, err }: Pick<CliResult, 'status' | 'err'>): void {
    if (status !== 0) throw new Error(`ended with ${status}: ${err}`);
    this.survivals += 1;
    if (this.survivals > this.total + 20) throw new Error(`${this.survivals} of the processes were not killed`);
  }

  /** A pull came to its end after its kills. @param bytes that were sent again */
  converged(bytes: number): void {
    this.chains += 1;
    this.bytesAgain += Math.max(0, bytes);
    this.mostBytesAgain = Math.max(this.mostBytesAgain, bytes);
  }

  print(): void {
    if (ASKED_KILLS === undefined) return;
    const places = [...this.byPlace].map(([place, count]) => `${place} ${count}`).join(', ');
    const seconds = ((performance.now() - this.startedAt) / 1000).toFixed(0);
    console.log(
      `killed ${this.title}: ${this.total} kills (${places}); ${this.chains} pulls, all converged; ` +
        `${(this.bytesAgain / Math.max(1, this.chains)).toFixed(0)} bytes again for each, ` +
        `at most ${this.mostBytesAgain}; ${seconds} s`
    );
  }
}
