import { configDefaults, defineConfig } from 'vitest/config';

/** Files that put something in the place of a module, for everything that runs in their process. */
const ISOLATED = 'test/{unit,server,faults}/**/*.isolated.test.ts';

export default defineConfig({
  test: {
    // They keep the whole machine busy, or mount file systems, so they are suites of their own.
    exclude: [...configDefaults.exclude, 'test/faults/{processes,power}/**'],
    globalSetup: ['test/support/build-once.ts'],
    setupFiles: ['test/support/before-each-file.ts'],
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'isolated', include: [ISOLATED] } },
      // One after the other in the same few processes, for loading the product takes longer than most files.
      {
        extends: true,
        test: {
          name: 'together',
          isolate: false,
          include: ['test/{unit,server,faults}/**/*.test.ts'],
          exclude: [ISOLATED]
        }
      }
    ]
  }
});
