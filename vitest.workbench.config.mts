import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/workbench/ui/**/*.test.ts'],
    globalSetup: 'test/workbench/ui/installed-extension.ts',
    setupFiles: ['test/support/before-each-file.ts'],
    pool: 'forks',
    maxWorkers: 1,
    // The files share nothing but the modules, which take a second to load.
    isolate: false,
    // The workbench redraws at its own pace; a click that lost that race is made once more.
    retry: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000
  }
});
