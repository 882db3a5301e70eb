import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Definition } from '../../src/core/definition.ts'
import type { SignatureValue } from '../../src/core/signature.ts'
import { definitionOf, task } from '../../src/core/task.ts'

const add = task('add', ({ x, y }: { x: number; y: number }) => x + y)
const square = task('square', (n: number) => n * n)
const at = (signature: unknown) => signature as SignatureValue

describe('a task', () => {
  test('is its own definition: name, schemas, checked settings and handler', () => {
    const input = z.object({ key: z.string() })
    const output = z.number()
    const retryIf = () => true
    const run = () => 1
    const options = {
      input,
      output,
      queue: 'slow',
      priority: 3,
      retry: { attempts: 5, to: '5m', retryIf },
      timeout: '30s',
      expires: '1h',
      keep: { failed: '1d' },
    }
    const definition = definitionOf(task('t', options, run))
    expect(definition).toMatchObject({ kind: 'task', name: 't' })
    expect(definition.input).toBe(input)
    expect(definition.output).toBe(output)
    expect(definition.run).toBe(run)
    expect(definition.settings).toEqual({
      queue: 'slow',
      priority: 3,
      retry: { attempts: 5, to: 300_000, retryIf },
      timeout: 30_000,
      expiresIn: 3_600_000,
      keep: { failed: 86_400_000 },
    })
    expect(Object.isFrozen(definition)).toBe(true)
  })

  test('without a handler is a contract, and handle() adds one to a copy', () => {
    const contract = task('t', { input: z.number(), retry: 5 })
    const run = (n: number) => n
    const whole = contract.handle(run)
    expect(definitionOf(contract).run).toBeUndefined()
    expect(definitionOf(whole)).toMatchObject({ name: 't', settings: { retry: { attempts: 5 } }, run })
    expect(definitionOf(whole).input).toBe(definitionOf(contract).input)
  })

  test.each<[string, () => unknown, string, RegExp]>([
    [
      'no name',
      () => task('', () => 1),
      'INVALID_OPTION',
      /^Expected the task's name to be a string that is not empty/,
    ],
    ['a name with a line break', () => task('a\nb', () => 1), 'INVALID_OPTION', /control characters/],
    [
      'an unknown option',
      () => task('add', { retrys: 3 } as never, () => 1),
      'UNKNOWN_OPTION',
      /^task "add" has no option "retrys". Did you mean "retry"/,
    ],
    [
      'a mistyped option',
      () => task('add', { timeot: 3 } as never, () => 1),
      'UNKNOWN_OPTION',
      /Did you mean "timeout"\?$/,
    ],
    [
      'an option of a call',
      () => task('add', { delay: '5s' } as never, () => 1),
      'UNKNOWN_OPTION',
      /no option "delay"/,
    ],
    ['a wrong duration', () => task('add', { timeout: 'soon' }, () => 1), 'INVALID_OPTION', /timeout/],
    ['a wrong retry', () => task('add', { retry: 0 }, () => 1), 'INVALID_OPTION', /retry/],
    [
      'a schema that is none',
      () => task('add', { input: {} as never }, () => 1),
      'INVALID_OPTION',
      /^Expected task "add": input to be a Standard Schema/,
    ],
    [
      'no function',
      () => task('add', {}, 5 as never),
      'INVALID_OPTION',
      /^Expected the handler of task "add" to be a function, got 5/,
    ],
    ['an undefined function', () => task('add', {}, undefined as never), 'INVALID_OPTION', /got undefined/],
    ['null options', () => task('add', null as never), 'INVALID_OPTION', /options of task "add"/],
    ['a handler that is none', () => task('add', {}).handle('x' as never), 'INVALID_OPTION', /got "x"/],
  ])('is refused where it is defined: %s', (_, define, code, message) => {
    expect(define).toThrow(expect.objectContaining({ code }))
    expect(define).toThrow(message)
  })

  test.each([[undefined], [{}], [() => 1], [add.with({ x: 1, y: 1 })], [JSON.parse('{"kind":"chain"}')]])(
    '%o is none for a worker',
    (value) => {
      expect(() => definitionOf(value)).toThrow('Expected a task to be what task(...) returns')
    },
  )
})

describe('a signature', () => {
  const definition = add as unknown as Definition

  test('holds the task and the input as given, frozen', () => {
    const input = { x: 1, y: 2 }
    const signature = at(add.with(input))
    expect(signature).toMatchObject({
      kind: 'signature',
      task: 'add',
      bound: 'fields',
      ignoresPrevious: false,
      settings: {},
    })
    expect(signature.input).toBe(input)
    expect(signature.definition).toBe(definition)
    expect(Object.isFrozen(signature)).toBe(true)
    expect(signature).not.toHaveProperty('whenFailed')
  })

  test.each<[string, unknown, SignatureValue['bound']]>([
    ['an object', { n: 1 }, 'fields'],
    ['an object without prototype', Object.create(null), 'fields'],
    ['a number', 5, 'whole'],
    ['a list', [1], 'whole'],
    ['null', null, 'whole'],
    ['nothing', undefined, 'whole'],
    ['a Date', new Date(), 'whole'],
    ['an instance', new (class A {})(), 'whole'],
  ])('of %s', (_, input, bound) => {
    expect(at(square.with(input as number))).toMatchObject({ bound, input })
  })

  test('bound in parts holds all fields', () => {
    const half = task('add', { input: z.object({ x: z.number(), y: z.number() }) }).with({ x: 1 })
    expect(at(half).input).toEqual({ x: 1 })
    expect(at(half.with({ y: 2 })).input).toEqual({ x: 1, y: 2 })
    expect(at(half).input).toEqual({ x: 1 })
  })

  test('changes only as a copy; options are laid over earlier ones field by field', () => {
    const first = add.with({ x: 1, y: 2 })
    const second = first.options({ delay: '5s', retry: 5, keep: '1h' })
    const third = second.options({ retry: { from: '2s' }, priority: 9 }).detached()
    expect(at(first)).toMatchObject({ settings: {}, ignoresPrevious: false })
    expect(at(second).settings).toEqual({
      due: { in: 5000 },
      retry: { attempts: 5 },
      keep: { succeeded: 3_600_000, failed: 3_600_000 },
    })
    expect(at(third)).toMatchObject({ input: { x: 1, y: 2 }, ignoresPrevious: true })
    expect(at(third).settings).toMatchObject({ retry: { attempts: 5, from: 2000 }, priority: 9 })
  })

  test('refuses unknown options and functions in them', () => {
    expect(() => add.with({ x: 1, y: 2 }).options({ dealy: 1 } as never)).toThrow(
      'add.options has no option "dealy". Did you mean "delay"?',
    )
    expect(() => add.with({ x: 1, y: 2 }).options({ retry: { retryIf: () => true } })).toThrow(
      'task definition',
    )
    expect(() => add.with({ x: 1, y: 2 }).options({ id: 'x' } as never)).toThrow('has no option "id"')
  })

  test('of a bare task with options has nothing bound', () => {
    expect(at(add.options({ queue: 'slow' }))).toMatchObject({
      bound: 'nothing',
      input: undefined,
      settings: { queue: 'slow' },
    })
  })

  test('may be followed by a task or signature, on error and on success', () => {
    const report = task('report', () => 1)
    const signature = at(add.with({ x: 1, y: 2 }).onError(report).onSuccess(report.with().detached()))
    expect(signature.whenFailed).toMatchObject({ task: 'report', bound: 'nothing' })
    expect(signature.whenSucceeded).toMatchObject({ task: 'report', bound: 'whole' })
    expect(at(add.onError(report)).whenFailed).toMatchObject({ task: 'report' })
    expect(at(add.onSuccess(square)).whenSucceeded).toMatchObject({ task: 'square' })
    expect(() => add.onError(report.onError(report))).toThrow(
      'The step given to onError may not have handlers of its own.',
    )
    expect(() => add.onError('report' as never)).toThrow(
      'Expected onError to be given a task or a signature, got "report".',
    )
  })

  test('is a copy of its parts when spread: its methods are not among its fields', () => {
    expect(Object.keys(add.with({ x: 1, y: 2 }))).toEqual([
      'kind',
      'task',
      'definition',
      'bound',
      'input',
      'ignoresPrevious',
      'settings',
    ])
  })
})
