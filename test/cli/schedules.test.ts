import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { onTerminal, type Project, project, run, start } from './millrace.ts'

const TASKS = `
import { cron, schedule, task } from 'millrace'
import { z } from 'zod'
export const add = task('add', { input: z.object({ x: z.number(), y: z.number() }) }, ({ x, y }) => x + y)
export const nightly = schedule('nightly', cron('0 3 * * *', { timezone: 'Europe/Paris' }), add.with({ x: 1, y: 2 }))
export const more = [schedule('yearly', cron('@yearly'), add.with({ x: 3, y: 4 }), { limit: 3 })]
`

let here: Project
const at = (...args: string[]) => run(here, args)
const json = async (...args: string[]) => JSON.parse((await at(...args, '--json')).stdout)
const names = async () => (await json('schedules')).schedules.map(({ name }: { name: string }) => name)

beforeAll(() => {
  const less = TASKS.replace(/export const more.*\n/, '')
  const sums = TASKS.replace(/export const (nightly|more).*\n/g, '')
  here = project({ 'sums.ts': sums, 'tasks.ts': TASKS, 'less.ts': less })
})
afterAll(() => here.remove())

async function withWorker(
  args: readonly string[],
  use: (line: (text: string) => Promise<string>) => Promise<void>,
) {
  const worker = start(here, ['worker', ...args, '--json'])
  try {
    await worker.line('worker started')
    await use(worker.line)
  } finally {
    worker.child.kill('SIGTERM')
    await worker.ended
  }
}

describe('millrace schedule', () => {
  test('sets a schedule, tells that it is unchanged, and replaces it', async () => {
    const set = (cron: string) =>
      json(
        'schedule',
        'set',
        'sums',
        '--cron',
        cron,
        '--timezone',
        'Europe/Paris',
        'add',
        '{"x":1,"y":2}',
        '--tasks',
        'sums.ts',
      )
    expect(await set('0 3 * * *')).toMatchObject({ name: 'sums', status: 'created', state: 'active' })
    expect(await set('0 3 * * *')).toMatchObject({ status: 'unchanged' })
    expect(await set('0 4 * * *')).toMatchObject({ status: 'replaced' })
  })

  test('tells when it is due by the clock of its zone, in words', async () => {
    const { stdout } = await at('schedule', 'next', 'sums', '--count', '2')
    expect(stdout).toMatch(
      /^in \w+, \w{3} \d+ \w+ \d{4} 04:00 Europe\/Paris\nin \w+, .* 04:00 Europe\/Paris\n$/,
    )
    const { upcoming } = await json('schedule', 'next', 'sums', '--count', '3')
    expect(upcoming).toHaveLength(3)
  })

  test('lists schedules, also as `schedule list`', async () => {
    const { stdout } = await at('schedules')
    expect(stdout).toMatch(
      /^NAME +STATE +WHEN +FIRES +FIRED +NEXT\nsums +active +0 4 \* \* \* \(Europe\/Paris\) +add +0 +in /,
    )
    expect((await at('schedule', 'list')).stdout).toBe(stdout)
  })

  test('pauses and resumes', async () => {
    expect((await at('schedule', 'pause', 'sums')).stdout).toBe('sums  paused\n')
    expect((await at('schedule', 'next', 'sums')).stdout).toBe('sums is paused: nothing is due.\n')
    expect((await at('schedule', 'resume', 'sums')).stdout).toMatch(
      /^sums {2}active, due in .* 04:00 Europe\/Paris\n$/,
    )
  })

  test('runs one now, and prints its result; its history shows it', async () => {
    await withWorker(['--tasks', 'sums.ts'], async () => {
      const ran = await at('schedule', 'run', 'sums', '--wait')
      expect([ran.code, ran.stdout]).toEqual([0, '3\n'])
    })
    const { id } = await json('schedule', 'run', 'sums')
    expect(id).toMatch(/^sums@\d{4}-/)
    const shown = await at('schedule', 'show', 'sums')
    expect(shown.stdout).toMatch(
      /^sums\nstate +active\nwhen +0 4 [\s\S]*\nnext runs\n {2}in [\s\S]*\nhistory\n/,
    )
    expect(shown.stdout.trim().endsWith(`fired ${id}`)).toBe(true)
    expect(await json('schedule', 'show', 'sums')).toMatchObject({
      fired: 2,
      last: id,
      upcoming: { length: 5 },
    })
  })

  test.each([
    ['n\n', 1, ['asked']],
    ['\x04', 1, ['asked']],
    ['y\n', 0, []],
  ])('asks on a terminal before it removes one, and takes %j', async (input, code, left) => {
    const other = project()
    try {
      await run(other, ['schedule', 'set', 'asked', '--every', '1h', 'add'])
      const ended = await onTerminal(other, 80, ['schedule', 'remove', 'asked'], { input })
      expect(ended.stdout).toContain('Remove the schedule "asked"? [y/N]')
      expect(ended.code).toBe(code)
      const { stdout } = await run(other, ['schedules', '--json'])
      expect(JSON.parse(stdout).schedules.map(({ name }: { name: string }) => name)).toEqual(left)
    } finally {
      other.remove()
    }
  })

  test('removes one only when told to, where nobody can be asked', async () => {
    const refused = await at('schedule', 'remove', 'sums')
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('give --yes')])
    expect(await names()).toEqual(['sums'])
    expect((await at('schedule', 'remove', 'sums', '--yes')).stdout).toBe('sums  removed\n')
    expect(await names()).toEqual([])
    expect((await at('schedules')).stdout).toMatch(/^No schedules in /)
  })

  test.each(['show', 'next', 'pause', 'resume', 'run'])(
    '%s of one that is not there exits with 3',
    async (verb) => {
      const { code, stderr } = await at('schedule', verb, 'none')
      expect([code, stderr]).toEqual([3, 'error: There is no schedule "none". [UNKNOWN_SCHEDULE]\n'])
    },
  )

  test.each([
    [['add'], 'Give either --cron'],
    [['--cron', '0 3 * * *', '--every', '5m', 'add'], 'Give either --cron'],
    [['--every', '5m', '--timezone', 'Europe/Paris', 'add'], '--timezone goes with --cron'],
    [['--cron', '0 3 * *', 'add'], 'five fields'],
    [['--every', '5m', '--missed', 'never', 'add'], 'one of skip, latest, all'],
    [['--every', '5m', '--start', 'soon', 'add'], '--start'],
    [['--every', '5m', 'add', '{"x":1}', '--tasks', 'sums.ts'], 'INVALID_INPUT'],
  ])('set %j is refused, and stores nothing', async (args, message) => {
    const { code, stderr } = await at('schedule', 'set', 'bad', ...args)
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
    expect(await names()).toEqual([])
  })
})

describe('millrace worker', () => {
  test('stores the schedules that its modules export, and removes those that vanished when told to', async () => {
    await withWorker(['--tasks', 'tasks.ts'], async () => {
      expect(await names()).toEqual(['nightly', 'yearly'])
    })
    await withWorker(['--tasks', 'less.ts'], async (line) => {
      expect(JSON.parse(await line('does not declare'))).toMatchObject({ level: 'warn', schedule: 'yearly' })
    })
    await withWorker(['--tasks', 'less.ts', '--remove-schedules'], async () => {
      expect(await names()).toEqual(['nightly'])
    })
  })
})
