import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { endInTime } from '../../support/faults/end-in-time';
import { runKilledAt } from '../../support/faults/kill-at-call';
import { type Chain, KillSweep } from '../../support/faults/kill-sweep';
import { isWanted, WANTED_KILLS, wantedChain } from '../../support/faults/kill-wishes';
import { Lane, MEBIBYTE, oldAndNew } from '../../support/faults/lane';
import { callPlaces, HAS_STRACE, MUTATING_CALLS, mixed } from '../../support/faults/strace';
import { Random } from '../../support/random';
import { type CliResult, runCli, startCli } from '../../support/run-cli';

/** How many processes die side by side: what one waits for is time for another. */
const LANES = 2 * availableParallelism();

/** Of those whose many connections this process serves, and whose many bytes it compares. */
const BROAD_LANES = availableParallelism();

/** Large enough for several writes, journal lines and pieces. */
const SMALL_BYTES = 3_500_000;

/** Just large enough for several connections, of which the second is tried after a second or so. */
const LARGE_BYTES = 66 * MEBIBYTE;

/** The part of a pull that is the beginning of Node, in which nothing happens. */
const START = 0.3;

/** How many kills are wanted of each kind. */
const KILLS = {
  calls: Math.ceil(WANTED_KILLS * 0.55),
  moments: Math.ceil(WANTED_KILLS * 0.4),
  connections: Math.ceil(WANTED_KILLS * 0.05)
};

/** Of so many pulls that are not killed any more, one has a process of its own; the others run in ours, for a tenth. */
const OWN_PROCESS = 4;

interface Death extends CliResult {
  /** Where it was killed, if it was. */
  readonly place: string;
}

interface ChainPlan {
  readonly kill: (isFirst: boolean) => Promise<Death>;
  /** One in so many kills is the last one. */
  readonly ends: number;
}

/** Kills a pull, and what goes on with it, until chance says otherwise, and has one come to its end. */
async function playChain(
  lane: Lane,
  { figures }: KillSweep,
  { random, steps }: Chain,
  { kill, ends }: ChainPlan
): Promise<void> {
  await lane.restore();
  for (let isFirst = true, isLast = false; !isLast; isFirst = false) {
    const missing = await lane.missingBytes();
    const death = await kill(isFirst);
    await lane.checkAfterKill();
    if (death.signal !== 'SIGKILL') {
      figures.survived(death);
      return figures.converged(await lane.checkEnd(missing));
    }
    figures.killed(death.place);
    if (random.below(2) === 0) {
      steps.push('recovery');
      await lane.checkRecovery();
    }
    isLast = random.below(ends) === 0;
  }
  steps.push('the end');
  figures.converged(await lane.converge(random.below(OWN_PROCESS) === 0 ? undefined : runCli));
}

/** Kills the command line at some moment of the time that a pull takes, in ms. */
async function killAtMoment(lane: Lane, pullMs: number, { random, steps }: Chain): Promise<Death> {
  const part = START + random.next() * (1 - START);
  steps.push(`at ${part.toFixed(3)} of ${pullMs.toFixed(0)} ms`);
  const running = startCli(lane.words, lane);
  const timer = setTimeout(() => running.child.kill('SIGKILL'), part * pullMs);
  const result = await endInTime(running);
  clearTimeout(timer);
  return { ...result, place: `at ${Math.floor(part * 10)} tenths` };
}

/** How long a pull takes while others pull as well, in ms. */
async function measurePulls(lanes: readonly Lane[]): Promise<number> {
  const times = await Promise.all(
    lanes.map(async (lane) => {
      await lane.restore();
      const startedAt = performance.now();
      await lane.converge();
      return performance.now() - startedAt;
    })
  );
  return Math.min(...times);
}

function openLanes(count: number, ...[versions, options]: Parameters<typeof Lane.open>): Promise<Lane[]> {
  return Promise.all(Array.from({ length: count }, () => Lane.open(versions, options)));
}

describe('a pull that is killed', () => {
  it.skipIf(!HAS_STRACE || !isWanted('calls'))(
    'at any call that changes the disk, and again, goes on and ends as if nothing had been',
    async () => {
      const lanes = await openLanes(LANES, oldAndNew(SMALL_BYTES));
      const [lane] = lanes;
      if (!lane) throw new Error('no lane');
      await lane.restore();
      const places = mixed(await callPlaces(lane.words, MUTATING_CALLS, lane.home, lane), new Random(1));
      const sweep = new KillSweep('calls', { kills: KILLS.calls, chains: places.length });
      await sweep.run(lanes, (own, chain) =>
        playChain(own, sweep, chain, {
          kill: async (isFirst) => {
            const place = (isFirst && places[chain.number % places.length]) || chain.random.pick(places);
            const name = `${place.deed} (${place.nth})`;
            chain.steps.push(name);
            const { isAtCall, ...result } = await runKilledAt(own.words, place, own);
            return { ...result, place: isAtCall ? name : 'elsewhere' };
          },
          // At first each place once, by itself.
          ends: chain.number < places.length ? 1 : 3
        })
      );
      // On a busy machine some processes have gone on before they are killed.
      if (wantedChain('calls') === 'all') expect(sweep.figures.places).toBeGreaterThan(places.length / 2);
    }
  );

  it.skipIf(!isWanted('moments'))('at any moment, and again, goes on and ends as if nothing had been', async () => {
    const lanes = await openLanes(LANES, oldAndNew(SMALL_BYTES));
    const pullMs = await measurePulls(lanes);
    const sweep = new KillSweep('moments', { kills: KILLS.moments });
    await sweep.run(lanes, (own, chain) =>
      playChain(own, sweep, chain, { kill: () => killAtMoment(own, pullMs, chain), ends: 3 })
    );
  });

  it.skipIf(!isWanted('connections'))(
    'at any moment of a transfer over several connections, and again, fetches next to nothing twice',
    async () => {
      const lanes = await openLanes(BROAD_LANES, oldAndNew(LARGE_BYTES), { bytesPerSecond: 12 * MEBIBYTE });
      const pullMs = await measurePulls(lanes);
      const sweep = new KillSweep('connections', { kills: KILLS.connections });
      await sweep.run(lanes, (own, chain) =>
        playChain(own, sweep, chain, { kill: () => killAtMoment(own, pullMs, chain), ends: 4 })
      );
    }
  );
});
