import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/faults/processes/**/*.test.ts'],
    globalSetup: ['test/support/build-once.ts'],
    pool: 'forks',
    // Much of their time is waiting for transfers that are slow on purpose, and for processes to start.
    maxWorkers: 2,
    // A long run shows how far it is.
    disableConsoleIntercept: process.env.DIFFUSION_DOCK_KILLS !== undefined,
    // Hundreds of processes one after another take their time on a busy machine; a long run takes as long as it takes.
    testTimeout: process.env.DIFFUSION_DOCK_KILLS === undefined ? 1_800_000 : 0,
    hookTimeout: 60_000
  }
});
