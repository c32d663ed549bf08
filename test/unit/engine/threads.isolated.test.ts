import * as os from 'node:os';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { engineThreads, freeThreads } from '../../../server/engine/threads';

vi.mock('node:os', async (original) => ({
  ...(await original<typeof os>()),
  availableParallelism: vi.fn(() => 8),
  cpus: vi.fn(),
  loadavg: vi.fn()
}));

/** Processors that have worked and idled so long, in ms. */
const processors = (...times: (readonly [busy: number, idle: number])[]): os.CpuInfo[] =>
  times.map(([busy, idle]) => ({ model: '', speed: 0, times: { user: busy, nice: 0, sys: 0, irq: 0, idle } }));

const each = (count: number, busy: number, idle: number) =>
  processors(...Array.from({ length: count }, () => [busy, idle] as const));

describe('the threads of an engine', () => {
  it.each<[usable: number, busy: number, idle: number, threads: number]>([
    [8, 0, 40, 8],
    [8, 10, 30, 6],
    [8, 38, 2, 1],
    [8, 40, 0, 1],
    // What the machine did before does not count, nor do clocks that were set back.
    [8, 0, 0, 8],
    [8, 0, -40, 8]
  ])('of %i usable cores that worked %i ms and idled %i are %i', (usable, busy, idle, threads) => {
    expect(engineThreads(usable, each(8, 1000, 1000), each(8, 1000 + busy, 1000 + idle))).toBe(threads);
  });

  it('are as many as this process may use, however many more the machine has free', () => {
    expect(engineThreads(4, each(64, 0, 0), each(64, 20, 20))).toBe(4);
  });

  it('are as many as may be used where nobody tells what the processors do', () => {
    expect(engineThreads(4, [], [])).toBe(4);
  });
});

describe.skipIf(process.platform === 'win32')('the threads of the next engine', () => {
  beforeEach(() => vi.mocked(os.cpus).mockReset());

  it.each([
    ['are all cores when the machine idles, although an engine kept them busy until now', each(8, 1000, 40), 8],
    ['leave the cores that others keep busy', each(8, 1020, 20), 4]
  ])('%s', async (_, after, threads) => {
    vi.mocked(os.loadavg).mockReturnValue([8, 6, 3]);
    vi.mocked(os.cpus)
      .mockReturnValueOnce(each(8, 1000, 0))
      .mockReturnValueOnce(after);
    expect(await freeThreads()).toBe(threads);
  });

  it('are all cores at once when nothing ran for a minute', async () => {
    vi.mocked(os.loadavg).mockReturnValue([0.4, 1, 1]);
    expect(await freeThreads()).toBe(8);
    expect(os.cpus).not.toHaveBeenCalled();
  });
});
