import { availableParallelism, type CpuInfo, cpus, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** How long the processors are watched, in ms: two of the ticks that Linux counts their time in; each run waits so long. */
const WATCHED_MS = 25;

/**
 * How many threads the engine may use: one for each core that is free, at least one. More threads than free cores
 * make it several times slower, for its threads wait for each other actively.
 * @param usable logical processors that this process may use; the machine may have more
 * @param before what the system said of all of its processors
 * @param after what it said a moment later; nothing where it does not tell
 */
export function engineThreads(usable: number, before: readonly CpuInfo[], after: readonly CpuInfo[]): number {
  const [then, now] = [timeOf(before), timeOf(after)];
  const [all, idle] = [now.all - then.all, now.idle - then.idle];
  if (all <= 0) return Math.max(1, usable);
  const free = Math.round(after.length * Math.min(1, Math.max(0, idle / all)));
  return Math.max(1, Math.min(usable, free));
}

/**
 * The same for this machine as it is now. The load average alone would not do: it is one of the last minute, in which
 * an engine of ours may have kept every core busy that is free by now.
 */
export async function freeThreads(): Promise<number> {
  const usable = availableParallelism();
  const [load = 0] = loadavg();
  // Windows has no load average, and says 0.
  if (process.platform !== 'win32' && Math.round(load) === 0) return usable;
  const before = cpus();
  await delay(WATCHED_MS);
  return engineThreads(usable, before, cpus());
}

/** How long processors have existed and idled together, in ms. */
function timeOf(processors: readonly CpuInfo[]): { readonly all: number; readonly idle: number } {
  let [all, idle] = [0, 0];
  for (const { times } of processors) {
    all += times.user + times.nice + times.sys + times.irq + times.idle;
    idle += times.idle;
  }
  return { all, idle };
}
