import type * as os from 'node:os';
import { afterEach, expect, it, vi } from 'vitest';
import { watchMemory } from '../../../server/platform/memory-watch';

const counted = vi.hoisted(() => ({ kills: 3 }));

vi.mock('node:fs/promises', () => ({ readFile: async () => `pgfault 1\noom_kill ${counted.kills}\n` }));
// As macOS has it with hardly a program running.
vi.mock('node:os', async (original) => ({ ...(await original<typeof os>()), freemem: () => 1, totalmem: () => 1000 }));

const platform = (name: NodeJS.Platform) => vi.stubGlobal('process', { ...process, platform: name });

afterEach(() => vi.unstubAllGlobals());

it.each([
  [3, 'enough'],
  [4, 'ran-out']
])(
  'Linux counts the processes that it killed for their memory: of 3 there are now %i, so it is %s',
  async (kills, is) => {
    platform('linux');
    counted.kills = 3;
    const verdict = watchMemory();
    counted.kills = kills;
    expect(await verdict()).toBe(is);
  }
);

it.each(['darwin', 'win32'] as const)('%s does not tell, however little is free', async (name) => {
  platform(name);
  expect(await watchMemory()()).toBe('unknown');
});
