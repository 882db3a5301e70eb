import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bin, clean, type Project, project, run, start } from './millrace.ts'

let here: Project

beforeAll(() => {
  here = project({
    'deaf.ts': `
      import { writeFileSync } from 'node:fs'
      import { task } from 'millrace'
      export const deaf = task('deaf', async (_, { log }) => {
        setInterval(() => {}, 1000)
        log.info({}, 'deaf runs')
        await new Promise(() => {})
      })`,
    'slow-load.ts': `
      import { task } from 'millrace'
      const hold = setInterval(() => {}, 1000)
      const stopped = new Promise((resolve) => process.once('SIGTERM', resolve))
      console.log('loading')
      await stopped
      clearInterval(hold)
      export const quick = task('quick', () => 1)`,
    'never-loads.ts': 'await new Promise(() => {})',
  })
})
afterAll(() => here.remove())

describe('a worker', () => {
  test('exits with 0 after the grace period though a handler ignores its signal, and the job waits again', async () => {
    await run(here, ['enqueue', 'deaf', '--id', 'deaf'])
    const worker = start(here, ['worker', '--tasks', 'deaf.ts', '--grace', '100ms', '--json'])
    await worker.line('deaf runs')
    worker.child.kill('SIGTERM')
    const { code, signal, stdout } = await worker.ended
    expect([code, signal]).toEqual([0, null])
    expect(stdout).toContain('"handedBack":1')
    const { state, attempt } = JSON.parse((await run(here, ['job', 'deaf', '--json'])).stdout)
    expect([state, attempt]).toEqual(['waiting', 1])
  })

  test('that is stopped while its tasks load takes nothing and exits with 0', async () => {
    const worker = start(here, ['worker', '--tasks', 'slow-load.ts', '--json'])
    await worker.line('loading')
    worker.child.kill('SIGTERM')
    const { code, stdout } = await worker.ended
    expect([code, stdout]).toEqual([0, 'loading\n'])
  })
})

test('a module that awaits what never comes is an error, not a silent success', async () => {
  const { code, stderr } = await run(here, ['worker', '--tasks', 'never-loads.ts'])
  expect(code).toBe(1)
  expect(stderr).toContain('await what never comes')
})

describe('Ctrl-C', () => {
  test('ends a wait with 130; the job goes on, and its id is told', async () => {
    const waiting = start(here, ['enqueue', 'nobody-serves-it', '1', '--id', 'kept', '--wait', '1m'])
    await waiting.line('kept accepted')
    waiting.child.kill('SIGINT')
    const { code, stderr } = await waiting.ended
    expect(code).toBe(130)
    expect(stderr).toContain('Interrupted. kept goes on.')
  })

  test('ends the reading of standard input with 130, and nothing is enqueued', async () => {
    const reading = start(here, ['enqueue', 'never', '-', '--id', 'never'], { open: true })
    // More than a pipe holds: it is written once the command reads.
    await new Promise((resolve) => reading.child.stdin?.write(' '.repeat(1_000_000), resolve))
    reading.child.kill('SIGINT')
    expect((await reading.ended).code).toBe(130)
    expect((await run(here, ['job', 'never'])).code).toBe(3)
  })

  test('ends a watch with 130', async () => {
    const watching = start(here, ['queues', '--watch', '--json'])
    await watching.line('"queues"')
    watching.child.kill('SIGINT')
    expect((await watching.ended).code).toBe(130)
  })
})

describe('the answer', () => {
  test('may be read in part: a reader that goes away ends a watch without a complaint', async () => {
    const watching = start(here, ['queues', '--watch', '--json'])
    await watching.line('"queues"')
    watching.child.stdout?.destroy()
    const { code, stderr } = await watching.ended
    expect([code, stderr]).toEqual([0, ''])
  })

  test('that can not be written is a failure', async () => {
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [bin, 'config', 'print'], {
      cwd: here.folder,
      env: clean(),
      stdio: ['ignore', full, 'pipe'],
    })
    let told = ''
    child.stderr?.on('data', (chunk) => {
      told += chunk
    })
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(told).toContain("can't be written")
  })
})
