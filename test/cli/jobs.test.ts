import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { width } from '../../src/cli/text.ts'
import { COLOUR, onTerminal, type Project, project, run, type Started, start } from './millrace.ts'
import { MORE, PACE, TASKS } from './tasks.ts'

let here: Project
let worker: Started

const json = async (...args: string[]) => JSON.parse((await run(here, [...args, '--json'])).stdout)

beforeAll(async () => {
  here = project({ 'tasks.ts': TASKS, 'pace.ts': PACE, 'more.ts': MORE, 'input.json': '{ "n": 4 }' })
  worker = start(here, ['worker', '--tasks', 'tasks.ts', 'more.ts', '--concurrency', '3', '--json'], {
    env: { MILLRACE_CONCURENCY: '3' },
  })
  await worker.line('worker started')
})
afterAll(async () => {
  worker.child.kill('SIGTERM')
  await worker.ended
  here.remove()
})

describe('millrace worker', () => {
  test('serves every exported task that has a handler, on the queues that they name', async () => {
    const started = JSON.parse(await worker.line('worker started'))
    expect(started).toMatchObject({ level: 'info', queues: ['default', 'sums'], concurrency: 3 })
  })

  test('names a contract without handler in a warning', async () => {
    expect(JSON.parse(await worker.line('contract without'))).toMatchObject({
      level: 'warn',
      task: 'contract',
    })
  })

  test('tells of a variable that nothing reads, and of the one that was most likely meant', async () => {
    expect(JSON.parse(await worker.line('nothing reads'))).toMatchObject({
      level: 'warn',
      variables: ['MILLRACE_CONCURENCY: Did you mean "MILLRACE_CONCURRENCY"?'],
    })
  })

  test('is listed while it is alive', async () => {
    const { workers } = await json('workers')
    expect(workers).toMatchObject([{ queues: ['default', 'sums'], active: expect.any(Number) }])
    expect(workers[0].expires).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  })
})

describe('millrace enqueue', () => {
  test('prints the id alone, and the same id again is known', async () => {
    const first = await run(here, ['enqueue', 'more', '@input.json', '--id', 'same'])
    const second = await run(here, ['enqueue', 'more', '@input.json', '--id', 'same'])
    expect([first.stdout, first.stderr, second.stdout]).toEqual(['same\n', '', 'same\n'])
    expect(second.stderr).toContain('nothing was changed')
  })

  test('with --wait prints the result, typed by the task file, and takes the input from standard input', async () => {
    // Were --wait to take what follows for its time, no task would be named.
    const args = ['enqueue', '--tasks', './tasks.ts', '--wait', 'add', '-']
    const { code, stdout } = await run(here, args, { input: '{"x":15,"y":25}' })
    expect([code, stdout]).toEqual([0, '40\n'])
  })

  test('with --wait a job that failed is told as data, and exits with 1', async () => {
    const { code, stdout, stderr } = await run(here, ['enqueue', 'evil', '--id', 'evil', '--wait', '--json'])
    expect([code, stderr]).toEqual([1, ''])
    expect(JSON.parse(stdout)).toMatchObject({
      id: 'evil',
      state: 'failed',
      error: { code: 'TASK_FAILED', name: 'TypeError' },
      attempts: 1,
    })
  })

  test('with --wait a job that takes longer exits with 5, and its id is told', async () => {
    const { code, stdout } = await run(here, ['enqueue', 'steps', '--id', 'long', '--wait', '50ms', '--json'])
    expect(code).toBe(5)
    expect(JSON.parse(stdout)).toMatchObject({
      id: 'long',
      state: 'active',
      error: { code: 'RESULT_TIMEOUT' },
    })
  })

  test('hands every option on', async () => {
    await run(here, [
      ...['enqueue', 'more', '{"n":1}', '--id', 'full', '--at', '2100-01-01T00:00Z', '--priority', '9'],
      ...[
        '--queue',
        'far',
        '--retry',
        'attempts=4,backoff=fixed,from=1s',
        '--timeout',
        'none',
        '--expires',
        '1h',
      ],
      ...['--keep', 'succeeded=0,failed=1d', '--header', 'a=b', '--header', 'c=d=e'],
    ])
    expect(await json('job', 'full')).toMatchObject({
      state: 'scheduled',
      queue: 'far',
      priority: 9,
      due: '2100-01-01T00:00:00.000Z',
      input: { n: 1 },
      headers: { a: 'b', c: 'd=e' },
    })
  })
})

describe('values that JSON lacks', () => {
  test('are shown to people as what they are', async () => {
    const { stdout } = await run(here, ['enqueue', 'values', '--wait'])
    expect(stdout).toContain('1970-01-01T00:00:00.000Z')
    expect(stdout).toContain('12345678901234567890n')
    expect(stdout).toContain("Map(1) { 'a' => 1 }")
    expect(stdout).toContain('Uint8Array(3) [ 1, 2, 3 ]')
  })

  test('are written to JSON without loss, in the form that --tagged reads', async () => {
    const { result } = await json('enqueue', 'values', '--wait')
    expect(result.date).toEqual({ $: ['date', '1970-01-01T00:00:00.000Z'] })
    await run(here, ['enqueue', 'evil', '-', '--tagged', '--id', 'again', '--wait'], {
      input: JSON.stringify(result, null, 2),
    })
    expect((await json('job', 'again')).input).toEqual(result)
  })

  test('that are not there are left out', async () => {
    expect(await json('enqueue', 'nothing', '--wait')).not.toHaveProperty('result')
  })
})

describe('control characters in data', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is the point
  const UNSAFE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/

  test.each([
    ['job', 'again'],
    ['job', 'evil'],
    ['jobs', '--state', 'failed'],
    ['job', 'evil', '--json'],
    ['jobs', '--json'],
    ['job', '\x1b[2Jnone'],
  ])('are shown, not sent: millrace %s %s %s', async (...args) => {
    const { stdout, stderr } = await run(here, args)
    expect(stdout + stderr).not.toMatch(UNSAFE)
  })

  test('are shown on a terminal, which gets no sequences but our colours', async () => {
    const { stdout } = await onTerminal(here, 100, ['job', 'evil'])
    expect(stdout).toContain('\\x1b[2J\\x1b]0;owned\\x07')
    expect(stdout.replace(COLOUR, '').replaceAll('\r\n', '\n')).not.toMatch(UNSAFE)
  })
})

describe('looking', () => {
  test('jobs go to the next page by the cursor', async () => {
    const first = await json('jobs', '--limit', '2')
    const second = await json('jobs', '--limit', '2', '--cursor', first.cursor)
    expect(first.jobs).toHaveLength(2)
    expect(second.jobs).toHaveLength(2)
    expect(second.jobs[0].id).not.toBe(first.jobs[1].id)
  })

  test.each([100, 50])('a table fits a terminal of %i columns', async (columns) => {
    const { stdout } = await onTerminal(here, columns, ['jobs', '--no-color'])
    const lines = stdout.split('\r\n')
    expect(lines.length).toBeGreaterThan(5)
    expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns)
  })

  test('queues are counted by state', async () => {
    const { queues } = await json('queues')
    expect(queues).toContainEqual({ name: 'far', counts: { scheduled: 1 } })
  })

  test('a job is watched until it has ended; the exit code tells how', async () => {
    const watching = start(here, ['job', 'long', '--watch', '--json'])
    const first = JSON.parse(await watching.line('"progress"'))
    expect(first).toMatchObject({ state: 'active', progress: { percent: 50, note: 'half way' } })
    const cancelled = await run(here, ['cancel', 'long', 'same', 'nobody'])
    expect(cancelled.code).toBe(3)
    expect(cancelled.stdout).toMatch(
      /^long {2}cancelling.*\nsame {2}had ended before\nnobody {2}not found\n$/,
    )
    const { code, stdout } = await watching.ended
    const last = JSON.parse(stdout.trimEnd().split('\n').at(-1)!)
    expect(code).toBe(1)
    expect(last.state).not.toBe('active')
  })

  test('a job that is not there exits with 3', async () => {
    const { code, stderr } = await run(here, ['job', 'nobody'])
    expect(code).toBe(3)
    expect(stderr).toContain('There is no job "nobody"')
  })

  test('retry tells for each id whether it runs again', async () => {
    const { code, stdout } = await run(here, ['retry', 'evil', 'same', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout).jobs).toMatchObject([
      { id: 'evil', answer: 'waiting' },
      { id: 'same', answer: 'refused', error: { code: 'NOT_RETRYABLE' } },
    ])
  })
})

describe('millrace enqueue --no-tasks', () => {
  test('accepts any name, also where tasks are configured', async () => {
    const env = { MILLRACE_TASKS: 'tasks.ts' }
    const { code, stdout } = await run(here, ['enqueue', 'nobody.knows', '1', '--no-tasks', '--json'], {
      env,
    })
    expect([code, JSON.parse(stdout).task]).toEqual([0, 'nobody.knows'])
    expect((await run(here, ['cancel', JSON.parse(stdout).id])).code).toBe(0)
  })
})

describe('millrace failures', () => {
  test('groups what failed by cause, and retries one cause', async () => {
    const ids = JSON.parse((await run(here, ['jobs', '--state', 'failed', '--json'])).stdout)
    expect(ids.jobs.length).toBeGreaterThan(0)
    const { groups, count } = await json('failures')
    expect(count).toBe(ids.jobs.length)
    const [{ fingerprint, task, error }] = groups
    const { stdout } = await run(here, ['failures', '--task', task])
    expect(stdout).toContain(fingerprint)
    expect(stdout).toContain(error.code)
    expect(await json('retry', '--failed', '--fingerprint', '00000000')).toEqual({
      retried: 0,
      members: 0,
      more: false,
    })
    const { retried } = await json('retry', '--failed', '--fingerprint', fingerprint)
    expect(retried).toBeGreaterThan(0)
  })

  test.each([
    [['retry'], 'Expected the ids'],
    [['retry', 'a', '--failed'], 'not both'],
    [['retry', 'a', '--task', 'b'], '--task goes with --failed'],
  ])('millrace %j is refused', async (args, message) => {
    const { code, stderr } = await run(here, args)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})

describe('millrace doctor', () => {
  test('finds that all is well, and exits with 0', async () => {
    const { code, stdout } = await run(here, ['doctor', '--json'])
    const { ok, findings } = JSON.parse(stdout)
    expect([code, ok]).toEqual([0, true])
    const checks = findings.map(({ check }: { check: string }) => check)
    expect(checks).toEqual(expect.arrayContaining(['millrace', 'node', 'config', 'backend', 'clock']))
    expect(stdout).toMatch(/sqlite \d+\.\d+\.\d+.*schema \d+/)
  })

  test('warns of what would lose or slow work', async () => {
    await run(here, ['enqueue', 'more', '1', '--queue', 'forgotten'])
    const env = { MILLRACE_KEEP: '0', MILLRACE_TIMEOUT: 'none', MILLRACE_CONCURENCY: '3' }
    const { code, stdout } = await run(here, ['doctor', '--url', 'sqlite:./millrace.db?durability=normal'], {
      env,
    })
    expect(code).toBe(0)
    expect(stdout).toMatch(/warning.*MILLRACE_CONCURENCY. Did you mean "MILLRACE_CONCURRENCY"/)
    expect(stdout).toMatch(/warning.*keep is 0/)
    expect(stdout).toMatch(/warning.*timeout is off/)
    expect(stdout).toMatch(/warning.*durability "normal"/)
    expect(stdout).toMatch(/warning.*1 job waits in "forgotten"/)
  })

  test('warns of a lost worker whose jobs nobody has taken over', async () => {
    const there = project({ 'tasks.ts': TASKS, 'pace.ts': PACE })
    try {
      const lost = start(there, ['worker', '--tasks', 'tasks.ts', '--lease', '500ms'])
      await lost.line('worker started')
      const { stdout: id } = await run(there, ['enqueue', 'steps', '1'])
      const job = start(there, ['job', id.trim(), '--watch'])
      await job.line('half way')
      job.child.kill()
      lost.child.kill('SIGKILL')
      await lost.ended
      let found = ''
      while (!found.includes('was lost')) found = (await run(there, ['doctor'])).stdout
      expect(found).toMatch(
        /warning {2}workers .* lapsed .*ago, with 1 job in hand. Any other takes over: start one/,
      )
    } finally {
      there.remove()
    }
  })

  test('exits with 1 on a fault, and says what to do', async () => {
    const { code, stdout } = await run(here, ['doctor', '--url', 'sqlite:/none/at/all.db'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/FAULT {4}backend.*mkdir -p/)
  })
})
