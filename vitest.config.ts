import { defineConfig } from 'vitest/config'

// `.ci/run` counts from this report; `npm test` stays one command for everybody.
const json = process.env.MILLRACE_TEST_JSON

const crash = 'test/crash/**/*.test.ts'
const conformance = 'test/conformance/**/*.test.ts'

export default defineConfig({
  test: {
    environment: 'node',
    reporters: json ? ['default', ['json', { outputFile: json }]] : ['default'],
    // One for each core: most tests wait for a disk or another process.
    maxWorkers: '100%',
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // On an unknown machine's CI a test with real servers and processes may lose a race once; its report names it.
    retry: json ? 1 : 0,
    // The package under test is the built one: Node loads it, threads and all, as it would for a user.
    server: { deps: { external: [/\/dist\//] } },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [crash, conformance] },
      },
      {
        extends: true,
        test: { name: 'conformance', include: [conformance] },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: [crash],
          globalSetup: ['test/setup/faketime.ts'],
          // Real processes are stopped, killed and timed here: one file at a time, after all the others.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
