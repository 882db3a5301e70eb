import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../package/manifest.ts'

describe('the demo, away from a terminal', () => {
  let told: string
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-demo-test-'))
    const demo = [join(root, 'node_modules/.bin/jiti'), join(root, 'examples/thumbnails/demo/main.ts')]
    const env = { ...process.env, TMPDIR: folder }
    // Rejects unless it exits with 0 by itself.
    told = (await promisify(execFile)(process.execPath, demo, { env, timeout: 80_000 })).stdout
  }, 90_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('every upload is answered with 202, and told with its time', () => {
    expect(told.match(/202 in \d+ ms, \d+(\.\d+)? of them to enqueue: .+/g)).toHaveLength(3)
  })

  test('a worker is killed while it holds jobs, and each of them is made by another', () => {
    const [, victim, held] = told.match(/worker (\d+) killed with SIGKILL in the middle of (.+)/)!
    const makers = held!.split(/, (?=\S+ at |the contact)/).map((job) => {
      const found = told.match(new RegExp(`${job} made by worker (\\d+), \\d+ ms after the kill`))
      return found?.[1]
    })
    expect(makers.length).toBeGreaterThan(0)
    for (const maker of makers) expect(maker).toMatch(/^\d+$/)
    expect(makers).not.toContain(victim)
  })

  test('every photo comes in every size, with the time of each', () => {
    const rows = told.match(/^ {2}\w+\.(png|jpg)( +\d+[* ]){3}$/gm)
    expect(rows).toHaveLength(7)
    expect(told).toMatch(/^Shown: 7 photos .* 21 thumbnails and 3 contact sheets .* none missing\.$/m)
  })

  test('nothing is left: no process, no file', async () => {
    const pids = [...told.matchAll(/workers? (\d+)(?: and (\d+))?/g)].flatMap(([, ...pids]) => pids)
    for (const pid of new Set(pids.filter((pid) => pid !== undefined))) {
      expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH')
    }
    const left = (await readdir(folder)).filter((name) => name.startsWith('millrace'))
    expect(left).toEqual([])
  })
})
