import { availableParallelism, loadavg } from 'node:os';

/**
 * How many threads the engine may use: one for each core that is free, at least one. More threads than free cores
 * make it several times slower, for its threads wait for each other actively.
 * @param cores logical processors
 * @param loadAverage the one-minute load average; 0 where the platform has none
 */
export function engineThreads(cores: number, loadAverage: number): number {
  const busy = Number.isFinite(loadAverage) ? Math.max(0, Math.round(loadAverage)) : 0;
  return Math.max(1, Math.floor(cores) - busy);
}

/** The same for this machine as it is now. */
export function freeThreads(): number {
  const [load = 0] = loadavg();
  return engineThreads(availableParallelism(), load);
}
