import { describe, expect, it } from 'vitest';
import { heldBytes } from '../../support/faults/cache-state';
import { placesOfSweep } from '../../support/faults/kill-wishes';
import { Lane, MEBIBYTE, oldAndNew } from '../../support/faults/lane';
import { type ModelFiles, manyBytes } from '../../support/faults/pull-site';
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

/** How many pulls fail side by side. */
const LANES = 3;

/** How many faults are tried: each kind of call, at some of its places. */
const FAULTS = placesOfSweep(16);

/** How many reads or writes are spoilt. */
const SPOILT = placesOfSweep(6);

/** What the calls can fail with. Those of `write` belong to Node's threads as well, which die of them. */
const ERRORS: Readonly<Record<string, readonly string[]>> = {
  openat: ['ENOSPC', 'EACCES', 'EMFILE', 'EIO', 'EROFS'],
  mkdir: ['ENOSPC', 'EACCES', 'EROFS', 'EIO'],
  pwrite64: ['ENOSPC', 'EIO', 'EDQUOT', 'EFBIG'],
  ftruncate: ['ENOSPC', 'EIO', 'EFBIG'],
  fsync: ['EIO', 'ENOSPC'],
  fdatasync: ['EIO', 'ENOSPC'],
  chmod: ['EPERM', 'EROFS'],
  link: ['EXDEV', 'EPERM', 'ENOSPC', 'EACCES'],
  rename: ['EACCES', 'ENOSPC', 'EXDEV', 'EIO'],
  unlink: ['EACCES', 'EIO'],
  rmdir: ['EACCES', 'EIO']
};

/** A pull that was disturbed either went on, or told one failure: what it is about, and what to do. */
function expectToldWell(
  place: CallPlace,
  what: string,
  home: string,
  { status, signal, out, err }: TracedResult
): void {
  const where = `${place.call} ${place.when} ${what}`;
  expect({ where, signal, err }).toEqual({ where, signal: null, err: '' });
  if (status === 0) return;
  const { error } = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '');
  expect({ where, ...error }).toEqual({
    where,
    code: expect.stringMatching(/^(disk-full|file-access)$/),
    message: expect.stringMatching(/^[A-Z].*\.$/),
    subject: expect.stringContaining(home),
    nextStep: expect.stringMatching(/^[A-Z].*\.$/)
  });
}

describe.skipIf(!HAS_STRACE)('a pull', () => {
  it('that meets an error at any call that changes the disk tells it, or goes on; the next one ends well', async () => {
    const random = new Random(3);
    const lanes = await Promise.all(Array.from({ length: LANES }, () => Lane.open(oldAndNew(2_500_000))));
    const [lane] = lanes;
    if (!lane) throw new Error('no lane');
    await lane.restore();
    const places = await callPlaces(lane.words, MUTATING_CALLS, lane.home, lane);
    const distinct = places.filter(({ call, isDistinct }) => isDistinct && ERRORS[call]);
    const faults = mixed(distinct, random).slice(0, FAULTS);
    let fired = 0;
    await Promise.all(
      lanes.map(async (own) => {
        for (let place = faults.pop(); place; place = faults.pop()) {
          await own.restore();
          const what = random.pick(ERRORS[place.call] ?? []);
          const result = await runInjected([...own.words, '--json'], place, `error=${what}`, own);
          fired += result.injected.length;
          expectToldWell(place, what, own.home, result);
          await own.checkAfterKill();
          await own.checkRecovery();
          await own.converge();
        }
      })
    );
    // A call that another run makes in another order may not come; most do.
    expect(fired).toBeGreaterThan(Math.min(FAULTS, distinct.length) * 0.8);
  });

  it.each(['EROFS', 'EFBIG'])('that may not go on writing (%s) keeps what came', async (error) => {
    const files: ModelFiles = new Map([['weights.gguf', manyBytes(5_000_000, 1)]]);
    const lane = await Lane.open(
      new Map([...oldAndNew(1000)].map(([name, old]) => [name, name === 'new' ? files : old]))
    );
    await lane.restore();
    const writes = (await callPlaces(lane.words, ['pwrite64'], lane.home, lane)).filter(({ isDistinct }) => isDistinct);
    // What arrives faster is written in fewer pieces, so another run may not come to the last one.
    let fired = false;
    for (let write = writes.pop(); write && !fired; write = writes.pop()) {
      await lane.restore();
      const result = await runInjected(lane.words, write, `error=${error}`, lane);
      fired = result.injected.length > 0;
      expect(result).toMatchObject({ status: fired ? 1 : 0 });
    }
    expect(fired).toBe(true);
    expect(await heldBytes(lane.home, files)).toBeGreaterThanOrEqual(MEBIBYTE);
    await lane.converge();
  });

  it.each([
    ['reads stop early', 'pread64', 'retval=0'],
    ['bits were flipped on the way from the disk', 'pread64', 'poke_exit=@arg2=ff00ff'],
    // Never more than was to be written, which no system says: the smallest file has five bytes.
    ['a write was a lie', 'pwrite64', 'retval=3']
  ])('installs nothing but the right bytes when %s', async (_, call, what) => {
    const lane = await Lane.open(oldAndNew(2_500_000));
    let fired = 0;
    await lane.restore();
    const places = await callPlaces(lane.words, [call], lane.home, lane);
    const distinct = places.filter(({ isDistinct }) => isDistinct);
    for (const place of mixed(distinct, new Random(5)).slice(0, SPOILT)) {
      await lane.restore();
      const result = await runInjected([...lane.words, '--json'], place, what, lane);
      fired += result.injected.length;
      expect({ place, ...result }).toMatchObject({ status: 0, err: '' });
      await lane.checkAfterKill();
      await lane.converge();
    }
    expect(fired).toBeGreaterThan(0);
  });

  it('that cannot read what it wrote says so', async () => {
    const lane = await Lane.open(oldAndNew(2_500_000));
    await lane.restore();
    const places = await callPlaces(lane.words, ['pread64'], lane.home, lane);
    const place = places.find(({ isDistinct }) => isDistinct) ?? expect.fail('nothing was read');
    await lane.restore();
    const result = await runInjected([...lane.words, '--json'], place, 'error=EIO', lane);
    expect(result).toMatchObject({ status: 1 });
    expectToldWell(place, 'EIO', lane.home, result);
    await lane.checkRecovery();
    await lane.converge();
  });
});
