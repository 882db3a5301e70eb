import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { version } from '../package/manifest.ts'
import { COLOUR, onTerminal, type Project, project, run } from './millrace.ts'
import { MORE, PACE, TASKS } from './tasks.ts'

let here: Project

beforeAll(() => {
  here = project({
    'tasks.ts': TASKS,
    'pace.ts': PACE,
    'more.ts': MORE,
    'contracts.ts': `import { task } from 'millrace'\nexport const far = task('far', {})`,
    'throws.ts': `throw new Error('at load')`,
    'broken.db': 'this is no database, and is long enough to be taken for one',
  })
})
afterAll(() => here.remove())

describe('help', () => {
  test('of the command tells every command, every exit code, and where options come from', async () => {
    const { code, stdout } = await run(here, ['--help'])
    expect(code).toBe(0)
    for (const name of ['worker', 'enqueue', 'job', 'flow', 'jobs', 'queues', 'workers', 'cancel', 'retry']) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
    }
    expect(stdout).toMatch(/doctor[\s\S]*config[\s\S]*MILLRACE_\*[\s\S]*Exit codes:[\s\S]*130/)
  })

  test.each([['worker'], ['enqueue'], ['config', 'print']])(
    'of %s %s has two examples or more, and no line that a terminal would break',
    async (...words) => {
      const { code, stdout } = await run(here, [...words, '--help'])
      expect(code).toBe(0)
      expect(stdout.match(/^ {2}# /gm)?.length).toBeGreaterThanOrEqual(2)
      const prose = stdout.split('Examples:')[0]!.split('\n')
      expect(prose.filter((line) => line.length > 80)).toEqual([])
    },
  )

  test('is shown, as an error, to who names no command', async () => {
    const { code, stdout, stderr } = await run(here, [])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Usage: millrace')
  })

  test('tells the version', async () => {
    expect((await run(here, ['--version'])).stdout).toBe(`${version}\n`)
  })
})

describe('a wrong call exits with 2 and one line that says what is right', () => {
  test.each<[string[], string]>([
    [['wrker'], 'Did you mean worker? [UNKNOWN_OPTION]'],
    [['jobs', '--stat', 'failed'], 'Did you mean --state? [UNKNOWN_OPTION]'],
    [['jobs', '--state', 'faild'], 'Expected state to be one of scheduled'],
    [['enqueue', 'add', '{x:1}'], 'Expected the input to be JSON'],
    [['enqueue', 'add', '12345678901234567890'], 'is too large to be an exact number'],
    [['enqueue', 'add', '{"__proto__":1}'], 'input.__proto__'],
    [['enqueue', 'add', '1', '--delay', '5'], 'Expected delay to be a duration with a unit'],
    [['enqueue', 'add', '1', '--at', 'soon'], 'Expected --at to be a time'],
    [['enqueue', 'add', '{"x":1}', '--tasks', 'tasks.ts'], 'add: input.y'],
    [['enqueue', 'ad', '{}', '--tasks', 'tasks.ts'], 'Did you mean "add"?'],
    [['jobs', '--url', 'foo://user:secret@host'], 'foo://user:***@host'],
    [['worker'], 'A worker needs tasks: give --tasks ./tasks.ts'],
    [['worker', '--tasks', 'missing.ts'], "Can't load the tasks"],
    [['worker', '--tasks', 'throws.ts'], 'throws.ts: at load'],
    [
      ['worker', '--tasks', 'contracts.ts'],
      'No task with a handler is exported by contracts.ts. [NO_HANDLER]',
    ],
  ])('millrace %j', async (args, message) => {
    const { code, stdout, stderr } = await run(here, args)
    const errors = stderr.split('\n').filter((line) => line.startsWith('error: '))
    expect([code, stdout, errors.length]).toEqual([2, '', 1])
    expect(errors[0]).toContain(message)
  })

  test('as JSON with --json, even when the call could not be read', async () => {
    const { code, stdout, stderr } = await run(here, ['jobs', '--stat', 'failed', '--json'])
    expect([code, stdout]).toEqual([2, ''])
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: 'UNKNOWN_OPTION',
        name: 'UsageError',
        message: "Unknown option '--stat'. Did you mean --state?",
      },
    })
  })

  test('with the stack and its causes only for who sets MILLRACE_DEBUG', async () => {
    const { stderr } = await run(here, ['worker', '--tasks', 'throws.ts'], { env: { MILLRACE_DEBUG: '1' } })
    expect(stderr).toMatch(/ {4}at [\s\S]*caused by Error: at load/)
  })
})

describe('a backend that fails exits with 4', () => {
  test.each([
    ['sqlite:/none/at/all.db', 'BACKEND_UNAVAILABLE'],
    ['sqlite:./broken.db', 'BACKEND_CORRUPT'],
  ])('%s', async (url, error) => {
    const { code, stderr } = await run(here, ['queues', '--url', url, '--json'])
    expect(code).toBe(4)
    expect(JSON.parse(stderr).error.code).toBe(error)
  })
})

describe('a database file that is not there', () => {
  test.each([
    ['queues'],
    ['workers'],
    ['jobs'],
    ['job', 'x'],
    ['flow', 'x'],
    ['cancel', 'x'],
    ['retry', 'x'],
  ])('is told, with 4, and not made, by %s', async (...args) => {
    const { code, stdout, stderr } = await run(here, [...args, '--url', 'sqlite:./none.db'])
    expect([code, stdout]).toEqual([4, ''])
    expect(stderr).toMatch(/^error: There is no database file ".\/none.db" yet\. .*\[BACKEND_MISSING\]$/m)
    expect(existsSync(join(here.folder, 'none.db'))).toBe(false)
  })

  test('is not made behind a broker either', async () => {
    const env = { MILLRACE_URL: 'amqp://localhost:1', MILLRACE_RESULTS: 'sqlite:./none.db' }
    const { code, stderr } = await run(here, ['queues'], { env })
    expect([code, stderr]).toEqual([4, expect.stringContaining('[BACKEND_MISSING]')])
    expect(existsSync(join(here.folder, 'none.db'))).toBe(false)
  })

  test('is a warning to doctor', async () => {
    const { code, stdout } = await run(here, ['doctor', '--url', 'sqlite:./none.db'])
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/warning {2}backend .*There is no database file/),
    ])
    expect(existsSync(join(here.folder, 'none.db'))).toBe(false)
  })
})

describe('config print', () => {
  test('tells each option with its origin, and no secret', async () => {
    const env = { MILLRACE_URL: 'redis://user:secret@host', MILLRACE_QUEUES: 'a=2,b=1' }
    const { code, stdout } = await run(here, ['config', 'print', '--grace', '5s', '--json'], { env })
    expect(code).toBe(0)
    expect(stdout).not.toContain('secret')
    expect(JSON.parse(stdout)).toMatchObject({
      file: null,
      options: {
        url: { value: 'redis://user:***@host', from: 'MILLRACE_URL' },
        queues: { value: { a: 2, b: 1 }, from: 'MILLRACE_QUEUES' },
        grace: { value: '5s', from: '--grace' },
        concurrency: { value: 10, from: 'default' },
      },
    })
  })
})

describe('colours', () => {
  test('are sent to a terminal', async () => {
    expect((await onTerminal(here, 80, ['config', 'print'])).stdout).toMatch(COLOUR)
  })

  test.each([
    ['a pipe', () => run(here, ['config', 'print'])],
    ['--no-color', () => onTerminal(here, 80, ['config', 'print', '--no-color'])],
    ['NO_COLOR', () => onTerminal(here, 80, ['config', 'print'], { env: { NO_COLOR: '1' } })],
  ])('are not sent with %s', async (_, print) => {
    expect((await print()).stdout).not.toMatch(COLOUR)
  })
})
