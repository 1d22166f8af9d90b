import { defineConfig } from 'vitest/config';

/** One project per folder. Forks, because a native crash in a thread would take the whole run with it; two of them,
 *  because the smallest machine we promise to work on has two cores. More where tests wait for blocks and deadlines most of
 *  the time: a run of `smoke` computes for a sixth of the time that it takes. Projects with different numbers run one after the
 *  other. Retries stay off: a flaky test is a bug. What bounds a wait is for what never ends: many times what it takes on the
 *  slowest machine, since nobody waits for it where all is well. */
export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 2,
    /** of tests in one file, where they say so */
    maxConcurrency: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['tests/unit/**/*.test.{ts,tsx}'] },
      },
      {
        extends: true,
        test: { name: 'engine', include: ['tests/engine/**/*.test.ts'], testTimeout: 120_000 },
      },
      {
        extends: true,
        test: {
          name: 'chain',
          include: ['tests/chain/**/*.test.ts'],
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      // Minutes each, not part of npm test: npm run test:slow.
      {
        extends: true,
        test: {
          name: 'slow',
          include: ['tests/slow/**/*.test.ts'],
          testTimeout: 3_600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
