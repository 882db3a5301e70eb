import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { backends } from './stage.ts'

const run = promisify(execFile)
const CHAOS = fileURLToPath(new URL('../../scripts/chaos/run.mjs', import.meta.url))

// The chaos command, in small: `npm run chaos` does the same with 20,000 jobs.
const JOBS = 3000
const args = ['--jobs', `${JOBS}`, '--seconds', '15', '--seed', '4']

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-storm-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe.each(backends)(
  'four workers, one of which is killed or stopped every 100 to 500 ms, on %s',
  (backend) => {
    test(`end ${JOBS} jobs with retries, delays and chords, each once`, async () => {
      const json = join(folder, `${backend}.json`)
      const { stdout } = await run(process.execPath, [
        CHAOS,
        '--backend',
        backend,
        '--json',
        json,
        ...args,
      ]).catch((error) => error as { stdout: string })
      expect(stdout).toContain('chaos: passed')
      const { accepted, killed, stopped, ...found } = JSON.parse(await readFile(json, 'utf8'))
      expect(found).toMatchObject({ lost: [], twice: [], stuck: [], wrong: [], early: [], deaths: [] })
      expect(accepted).toBe(JOBS)
      expect(Math.min(killed, stopped)).toBeGreaterThan(5)
      // The longest delay, two leases, the retries, and the work that is left.
      expect(found.settled).toBeLessThan(3000 + 2 * 1000 + 3 * 100 + 10 * found.backlog)
    })
  },
)
