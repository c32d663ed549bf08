import { readFile } from 'node:fs/promises';

/** What became of the machine's memory while something ran; `unknown` where the platform does not tell. */
export type MemoryVerdict = 'ran-out' | 'enough' | 'unknown';

/**
 * Watches the machine's memory while a program runs that may use all of it. Only Linux tells: it counts the processes
 * that it killed for their memory. How much is free at the end says nothing on macOS, which leaves next to nothing so.
 * @returns gives the verdict on the time until then
 */
export function watchMemory(): () => Promise<MemoryVerdict> {
  const killsBefore = outOfMemoryKills();
  return async () => {
    const [before, after] = [await killsBefore, await outOfMemoryKills()];
    if (before === undefined || after === undefined) return 'unknown';
    return after > before ? 'ran-out' : 'enough';
  };
}

/** How many processes the kernel has killed for want of memory since the machine started; undefined: it does not tell. */
async function outOfMemoryKills(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const [, count] = /^oom_kill (\d+)$/m.exec(await readFile('/proc/vmstat', 'utf8')) ?? [];
    return count === undefined ? undefined : Number(count);
  } catch {
    return undefined;
  }
}
