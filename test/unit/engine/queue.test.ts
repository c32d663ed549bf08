import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inTurn, type QueueOptions } from '../../../server/engine/queue';
import { ownerTag, ownIdentity } from '../../../server/platform/process-identity';
import type { QueuePlace } from '../../../shared/job-events';
import { withFileTap } from '../../support/crash/file-tap';
import { failureOf } from './failures';
import { temporaryFolder } from './processes';

let home: string;
let folder: string;

beforeEach(async () => {
  home = await temporaryFolder();
  folder = await mkdtemp(join(home, 'queue-'));
});

// Whatever became of the runs, nobody after them waits for them.
afterEach(async () => {
  const { host } = await ownIdentity();
  expect(await readdir(join(folder, host)).catch(() => [])).toEqual([]);
  await rm(home, { recursive: true });
});

const options = (model: string, more: Partial<QueueOptions> = {}): QueueOptions => ({
  folder,
  model,
  signal: new AbortController().signal,
  onPlace: () => undefined,
  endOrphans: async () => undefined,
  ...more
});

/** Something that is waited for until somebody says so. */
class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

/** A run that goes on until it is told to end. */
function longRun(model: string, more: Partial<QueueOptions> = {}) {
  const [told, begun] = [new Gate(), new Gate()];
  const done = inTurn(options(model, more), async () => {
    begun.open();
    await told.opened;
  });
  return { done, isUnderWay: begun.opened, end: () => told.open() };
}

/** Starts a run that has to wait; settles when it is in the queue. */
async function waiting(model: string, run: () => void, signal?: AbortSignal) {
  const places: QueuePlace[] = [];
  const queued = new Gate();
  const onPlace = (place: QueuePlace): void => {
    places.push(place);
    queued.open();
  };
  const done = inTurn(options(model, { onPlace, ...(signal && { signal }) }), async () => run());
  void done.catch(() => undefined);
  await queued.opened;
  return { done, places };
}

/** An identity that no process has: this one's process id, with another start. */
async function deadOwner() {
  return { ...(await ownIdentity()), startTime: '1' };
}

describe('the queue of engine runs', () => {
  it('lets one run go on at a time, in the order in which they came', async () => {
    const first = longRun('a');
    await first.isUnderWay;
    const order: string[] = [];
    const second = await waiting('b', () => order.push('b'));
    const third = await waiting('c', () => order.push('c'));
    expect(order).toEqual([]);
    expect(second.places).toEqual([{ position: 2, behind: 'a' }]);
    expect(third.places).toEqual([{ position: 3, behind: 'b' }]);
    first.end();
    await Promise.all([first.done, second.done, third.done]);
    expect(order).toEqual(['b', 'c']);
  });

  it('never lets two run at once, however many come together', async () => {
    let [running, most, runs] = [0, 0, 0];
    const run = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await delay(1);
      running -= 1;
      runs += 1;
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => inTurn(options(String(index)), run)));
    expect([most, runs]).toEqual([1, 8]);
  });

  it('is left at once by a run that is cancelled while it waits, and nobody else waits for it', async () => {
    const first = longRun('a');
    await first.isUnderWay;
    const cancel = new AbortController();
    const second = await waiting('b', () => expect.unreachable(), cancel.signal);
    const third = await waiting('c', () => undefined);
    cancel.abort();
    expect((await failureOf(second.done)).code).toBe('cancelled');
    first.end();
    await Promise.all([first.done, third.done]);
  });

  it('goes on after a run that fails', async () => {
    const failing = inTurn(options('a'), () => Promise.reject(new Error('it failed')));
    await expect(failing).rejects.toThrow('it failed');
    expect(await inTurn(options('b'), async (hasWaited) => hasWaited)).toBe(false);
  });

  it.runIf(process.platform === 'linux')('waits for no dead process, and ends what it had started', async () => {
    const owner = await deadOwner();
    const queue = join(folder, owner.host);
    await mkdir(queue);
    await writeFile(join(queue, `000000000001~${ownerTag(owner, 'ab')}.ticket`), 'gone');
    await writeFile(join(queue, 'turn.claim'), JSON.stringify({ owner, nonce: 'ab' }));
    const events: string[] = [];
    const endOrphans = async (): Promise<void> => void events.push('orphans ended');
    const onPlace = (): void => void events.push('waited');
    await inTurn(options('a', { endOrphans, onPlace }), async () => void events.push('run'));
    expect(events).toEqual(['orphans ended', 'run']);
  });

  it('goes on after a run that a full or broken disk kept from its turn, whichever call met it', async () => {
    let failures = 0;
    for (let call = 1, isReached = true; isReached; call += 1) {
      isReached = await failingAt(call, async () => {
        await inTurn(options('a'), async () => undefined).catch(() => (failures += 1));
      });
      const nobody = new AbortController();
      const next = inTurn(options('b', { signal: nobody.signal, onPlace: () => nobody.abort() }), async () => 'done');
      expect(await next, `after a failure at call ${call}`).toBe('done');
    }
    expect(failures).toBeGreaterThan(3);
  });
});

/** Has the n-th call that changes the disk fail after it was begun, as a full disk does. @returns whether it came so far */
async function failingAt(number: number, action: () => Promise<void>): Promise<boolean> {
  let calls = 0;
  await withFileTap(async ({ name }, proceed) => {
    // Removing takes no room.
    if (name === 'rm') return proceed();
    calls += 1;
    if (calls !== number) return proceed();
    if (name !== 'open') await proceed();
    throw Object.assign(new Error('ENOSPC: on purpose'), { code: 'ENOSPC' });
  }, action);
  return calls >= number;
}
