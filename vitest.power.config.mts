import { defineConfig } from 'vitest/config';

// Run by `npm run faults:power` alone, which provides a mount namespace.
export default defineConfig({
  test: {
    include: ['test/faults/power/**/*.test.ts'],
    globalSetup: ['test/support/build-once.ts'],
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 0,
    hookTimeout: 60_000
  }
});
