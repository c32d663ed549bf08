import { setTimeout as after } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { KillFigures, WANTED_KILLS } from '../../support/faults/kill-figures';
import { Lane, MEBIBYTE, oldAndNew } from '../../support/faults/lane';
import { callPlaces, HAS_STRACE, MUTATING_CALLS, mixed, runInjected } from '../../support/faults/strace';
import { Random } from '../../support/random';
import { startCli } from '../../support/run-cli';

/** How many processes die side by side. */
const LANES = 3;

/** Of ten kills, so many are at a call; the rest are at any moment of a transfer over several connections. */
const AT_CALLS = 0.9;

describe('a pull that is killed', () => {
  it.skipIf(!HAS_STRACE)(
    'at any call that changes the disk, and again, goes on and ends as if nothing had been',
    async () => {
      const random = new Random(1);
      const figures = new KillFigures('at a call');
      const lanes = await Promise.all(Array.from({ length: LANES }, () => Lane.open(oldAndNew(3_500_000))));
      const [lane] = lanes;
      if (!lane) throw new Error('no lane');
      await lane.restore();
      const places = mixed(await callPlaces(lane.words, MUTATING_CALLS, lane.home, lane), random);
      let chain = 0;
      await Promise.all(
        lanes.map(async (own) => {
          while (figures.kills < WANTED_KILLS * AT_CALLS) {
            const first = places[chain % places.length] ?? random.pick(places);
            chain += 1;
            await own.restore();
            for (let place = first; ; place = random.pick(places)) {
              const { status, signal, err } = await runInjected(own.words, place, 'signal=KILL', own);
              if (signal === 'SIGKILL') figures.killed(place.call);
              else figures.survived({ status, err });
              await own.checkAfterKill();
              if (random.below(2) === 0) await own.checkRecovery();
              if (signal !== 'SIGKILL' || random.below(2) === 0) break;
            }
            figures.converged(await own.converge());
          }
        })
      );
      figures.print();
    }
  );

  it('at any moment of a transfer over several connections, and again, fetches next to nothing twice', async () => {
    const random = new Random(2);
    const figures = new KillFigures('at a moment');
    const lanes = await Promise.all(
      Array.from({ length: LANES }, () => Lane.open(oldAndNew(96 * MEBIBYTE), { bytesPerSecond: 16 * MEBIBYTE }))
    );
    await Promise.all(
      lanes.map(async (own) => {
        while (figures.kills < WANTED_KILLS * (1 - AT_CALLS)) {
          await own.restore();
          for (;;) {
            const { child, ended } = startCli(own.words, own);
            const gone = new AbortController();
            const dying = after(300 + random.below(2200), undefined, gone).then(() => child.kill('SIGKILL'));
            const { status, signal, err } = await ended;
            gone.abort();
            await dying.catch(() => undefined);
            if (signal === 'SIGKILL') figures.killed();
            else figures.survived({ status, err });
            await own.checkAfterKill();
            if (signal !== 'SIGKILL' || random.below(4) === 0) break;
          }
          figures.converged(await own.converge());
        }
      })
    );
    figures.print();
  });
});
