import type { CliResult } from '../run-cli';
import { IS_LONG } from './kill-wishes';

/** How often a long run shows that it lives, in ms. */
const SHOW_MS = 30_000;

/** Counts what a sweep of kills did, and shows it in the long run. */
export class KillFigures {
  private readonly startedAt = performance.now();
  private readonly byPlace = new Map<string, number>();
  private shownAt = performance.now();
  private chains = 0;
  private bytesAgain = 0;
  private mostBytesAgain = 0;
  private total = 0;
  private survivals = 0;

  /** @param wanted how many kills there are to be */
  constructor(
    private readonly kind: string,
    private readonly wanted: number
  ) {}

  get kills(): number {
    return this.total;
  }

  /** How many different places a process died at. */
  get places(): number {
    return this.byPlace.size;
  }

  /** @param place where a process died; it counts as another place than any with another name */
  killed(place = 'any'): void {
    this.total += 1;
    this.byPlace.set(place, (this.byPlace.get(place) ?? 0) + 1);
    if (!IS_LONG || performance.now() - this.shownAt < SHOW_MS) return;
    this.shownAt = performance.now();
    const left = (this.seconds * Math.max(0, this.wanted - this.total)) / this.total / 60;
    console.log(`${this.kind}: ${this.total} of ${this.wanted} kills, about ${left.toFixed(0)} min left`);
  }

  /** A run ended by itself, before the call or the moment came. */
  survived({ status, err }: Pick<CliResult, 'status' | 'err'>): void {
    if (status !== 0) throw new Error(`ended with ${status}: ${err}`);
    this.survivals += 1;
  }

  /** @throws Error when it is the rule that processes are not killed */
  requireDeaths(): void {
    if (this.survivals > this.total + 20) throw new Error(`${this.survivals} of the processes were not killed`);
  }

  /** A pull came to its end after its kills. @param bytes that were sent again */
  converged(bytes: number): void {
    this.chains += 1;
    this.bytesAgain += Math.max(0, bytes);
    this.mostBytesAgain = Math.max(this.mostBytesAgain, bytes);
  }

  print(): void {
    if (!IS_LONG) return;
    const { seconds, total, chains } = this;
    console.log(
      `${this.kind}: ${total} kills at ${this.places} places; ${chains} pulls that were killed came to their end; ` +
        `${(this.bytesAgain / Math.max(1, chains)).toFixed(0)} bytes again for each, at most ${this.mostBytesAgain}; ` +
        `${this.survivals} ended too soon to be killed; ${seconds.toFixed(0)} s, ${(total / seconds).toFixed(2)} kills a second`
    );
  }

  private get seconds(): number {
    return (performance.now() - this.startedAt) / 1000;
  }
}
