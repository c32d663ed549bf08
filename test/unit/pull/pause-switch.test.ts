import { describe, expect, it } from 'vitest';
import { PauseSwitch } from '../../../server/pull/pause-switch';

/** Work that ends when it is told to, and stops when it is interrupted. */
function observedWork(pause: PauseSwitch, signal = new AbortController().signal) {
  const seen: string[] = [];
  const rounds: { readonly finish: (result: string) => void }[] = [];
  const result = pause.run({
    signal,
    onPaused: () => seen.push('paused'),
    onResumed: () => seen.push('resumed'),
    work: (running) => {
      seen.push('begun');
      return new Promise<string>((finish, stop) => {
        rounds.push({ finish });
        running.addEventListener('abort', () => stop(new Error('interrupted')));
      });
    }
  });
  return { seen, rounds, result };
}

/** Lets everything happen that waits for nothing but its turn. */
const turns = (): Promise<unknown> => new Promise((done) => setImmediate(done));

describe('a pause', () => {
  it('stops the work, and a resume begins it again', async () => {
    const pause = new PauseSwitch();
    const { seen, rounds, result } = observedWork(pause);
    pause.pause();
    pause.pause();
    await turns();
    expect(seen).toEqual(['begun', 'paused']);
    pause.resume();
    await turns();
    rounds[1]?.finish('done');
    expect(await result).toBe('done');
    expect(seen).toEqual(['begun', 'paused', 'resumed', 'begun']);
  });

  it('that comes before the work keeps it from beginning', async () => {
    const pause = new PauseSwitch();
    pause.pause();
    const { seen, rounds, result } = observedWork(pause);
    await turns();
    expect(seen).toEqual(['paused']);
    pause.resume();
    await turns();
    rounds[0]?.finish('done');
    await expect(result).resolves.toBe('done');
  });

  it('that is taken back at once, and wished again, holds', async () => {
    const pause = new PauseSwitch();
    const { seen } = observedWork(pause);
    pause.pause();
    await turns();
    pause.resume();
    pause.pause();
    await turns();
    expect(seen).toEqual(['begun', 'paused']);
  });

  it('ends when the whole is cancelled', async () => {
    const pause = new PauseSwitch();
    const controller = new AbortController();
    const { seen, result } = observedWork(pause, controller.signal);
    pause.pause();
    await turns();
    controller.abort();
    await expect(result).rejects.toMatchObject({ code: 'cancelled' });
    expect(seen).toEqual(['begun', 'paused']);
  });
});

describe('work that fails by itself', () => {
  it('is not tried again', async () => {
    const run = new PauseSwitch().run({
      signal: new AbortController().signal,
      onPaused: () => undefined,
      onResumed: () => undefined,
      work: () => Promise.reject(new Error('broken'))
    });
    await expect(run).rejects.toThrow('broken');
  });
});
