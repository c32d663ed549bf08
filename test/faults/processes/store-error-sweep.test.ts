import { describe, expect, it } from 'vitest';
import { placesOfSweep } from '../../support/faults/kill-wishes';
import { STORE_JOBS, StoreLane } from '../../support/faults/store-lane';
import {
  type CallPlace,
  callPlaces,
  HAS_STRACE,
  MUTATING_CALLS,
  mixed,
  runInjected,
  type TracedResult
} from '../../support/faults/strace';
import { Random } from '../../support/random';

/** How many commands fail side by side. */
const LANES = 3;

/** How many faults of each job are tried. */
const FAULTS = placesOfSweep(6);

const ERRORS = ['ENOSPC', 'EIO', 'EACCES', 'EMFILE', 'EXDEV'];

interface Fault {
  readonly place: CallPlace;
  readonly error: string;
}

/** Every call with every error, so that each call and each error comes soon. */
function faultsAt(places: readonly CallPlace[]): Fault[] {
  return ERRORS.flatMap((_, turn) =>
    places.map((place, index) => ({ place, error: ERRORS[(index + turn) % ERRORS.length] ?? 'EIO' }))
  );
}

/** A command that was disturbed either went on, or told one failure: what it is about, and what to do. */
function expectToldWell({ place, error }: Fault, home: string, { status, signal, out, err }: TracedResult): void {
  const where = `${place.call} ${place.when} ${error}`;
  // Node's own threads write, too, and end the process when they may not: that is a crash.
  if (place.call === 'write' && signal !== null) return;
  expect({ where, signal, err }).toEqual({ where, signal: null, err: '' });
  if (status === 0) return;
  expect({ where, out }).toEqual({ where, out: expect.stringMatching(/"code": ?"(disk-full|file-access)"/) });
  expect({ where, out }).toEqual({ where, out: expect.stringContaining('"nextStep"') });
  expect({ where, out }).toEqual({ where, out: expect.stringContaining(home) });
}

describe.skipIf(!HAS_STRACE)('a command that meets an error at any call that changes the disk', () => {
  it.each(STORE_JOBS)(
    'while it $title tells it, or goes on; the next one ends well, and nothing is lost',
    async (job) => {
      const random = new Random(4);
      const lane = await StoreLane.open(job);
      const lanes = [lane, ...Array.from({ length: LANES - 1 }, (_, index) => lane.beside(index + 1))];
      await lane.restore();
      const places = await callPlaces(lane.words, MUTATING_CALLS, lane.home, lane);
      const faults = faultsAt(
        mixed(
          places.filter(({ isDistinct }) => isDistinct),
          random
        )
      ).slice(0, FAULTS);
      const wanted = faults.length;
      let fired = 0;
      await Promise.all(
        lanes.map(async (own) => {
          for (let fault = faults.shift(); fault; fault = faults.shift()) {
            await own.restore();
            const result = await runInjected([...own.words, '--json'], fault.place, `error=${fault.error}`, own);
            fired += result.injected.length > 0 ? 1 : 0;
            expectToldWell(fault, own.home, result);
            await own.checkAtOnce();
            await own.checkRecovered();
            await own.converge();
          }
        })
      );
      // A call that another run makes in another order may not come; most do.
      expect(fired).toBeGreaterThan(wanted * 0.8);
    }
  );
});
