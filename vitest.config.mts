import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts', 'test/server/**/*.test.ts', 'test/faults/**/*.test.ts'],
    // They keep the whole machine busy, or mount file systems, so they are suites of their own.
    exclude: [...configDefaults.exclude, 'test/faults/{processes,power}/**'],
    globalSetup: ['test/support/build-once.ts'],
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
});
