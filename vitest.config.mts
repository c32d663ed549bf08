import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts', 'test/server/**/*.test.ts', 'test/faults/**/*.test.ts'],
    // They keep the whole machine busy, so they are a suite of their own.
    exclude: [...configDefaults.exclude, 'test/faults/processes/**'],
    globalSetup: ['test/support/build-once.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
});
