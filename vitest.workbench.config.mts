import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/workbench/ui/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 1,
    // The workbench redraws at its own pace; a click that lost that race is made once more.
    retry: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
});
