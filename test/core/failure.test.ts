import { describe, expect, test } from 'vitest'
import {
  describeFailure,
  describeFault,
  type Failure,
  failureOfCode,
  joinFailures,
  packFailure,
  type StepFailure,
  toError,
  unpackFailure,
} from '../../src/core/failure.ts'
import { UsageError } from '../../src/errors.ts'

const step = (path: number[], message: string): StepFailure => ({
  code: 'TASK_FAILED',
  name: 'TypeError',
  message,
  stack: 'a stack',
  id: `f/${path.join('.')}`,
  path,
  task: 'add',
  attempts: 2,
})

describe('what was thrown', () => {
  test('is described by name, message, stack, code and causes', () => {
    const error = new TypeError('outer', { cause: new RangeError('inner', { cause: 'a text' }) })
    Object.assign(error, { code: 'E_CODE' })
    const { stack, ...failure } = describeFailure(error)
    expect(failure).toEqual({
      code: 'TASK_FAILED',
      name: 'TypeError',
      message: 'outer',
      errorCode: 'E_CODE',
      causes: ['RangeError: inner', '"a text"'],
    })
    expect(stack).toContain('failure.test.ts')
  })

  test.each<[unknown, string]>([
    [null, 'threw null'],
    [undefined, 'threw undefined'],
    ['text', 'threw "text"'],
    [{ a: 1 }, 'threw {"a":1}'],
    [1n, 'threw 1'],
    [{ a: 1n }, 'threw a value that can not be described'],
    [Object.create(null), 'threw {}'],
    [{ toJSON: () => undefined }, 'threw an object'],
  ])('%# is described when it is no error', (thrown, message) => {
    expect(describeFailure(thrown)).toEqual({ code: 'TASK_FAILED', name: 'Error', message })
  })

  test('is cut when it is long', () => {
    const { message, stack } = describeFailure(new Error('x'.repeat(100_000)))
    expect(message).toHaveLength(8193)
    expect(stack!.length).toBeLessThan(17_000)
    expect(describeFailure('x'.repeat(100_000)).message.length).toBeLessThan(8300)
  })

  test('has at most five causes, however they are linked', () => {
    const error = new Error('loop')
    error.cause = error
    expect(describeFailure(error).causes).toHaveLength(5)
  })

  test('by the codec or a schema keeps its code', () => {
    expect(describeFault(new UsageError('UNSERIALISABLE', 'x'), 'INVALID_OUTPUT').code).toBe('UNSERIALISABLE')
    expect(describeFault(new UsageError('PAYLOAD_TOO_LARGE', 'x'), 'INVALID_OUTPUT').code).toBe(
      'PAYLOAD_TOO_LARGE',
    )
    expect(describeFault(new UsageError('INVALID_INPUT', 'x'), 'INVALID_OUTPUT').code).toBe('INVALID_OUTPUT')
    expect(describeFault(new Error('x'), 'INVALID_OUTPUT').code).toBe('INVALID_OUTPUT')
  })
})

describe('a stored failure', () => {
  test('comes back as it was', () => {
    const failure = describeFailure(new Error('no', { cause: 'x' }))
    expect(unpackFailure(packFailure(failure))).toEqual(failure)
  })

  test.each(['', '2{}', '1{', 'nonsense'])('of an unknown format, %j, is told as such', (body) => {
    expect(unpackFailure(body)).toMatchObject({ code: 'UNKNOWN_FORMAT' })
  })

  test.each(['EXPIRED', 'WORKER_LOST', 'CANCELLED'] as const)(
    'that the driver made, %s, has words',
    (code) => {
      expect(failureOfCode(code)).toMatchObject({ code, message: expect.stringMatching(/\w/) })
    },
  )
})

describe('the failures of a flow as one', () => {
  test('of a single one the code, the words and the stack are kept', () => {
    const only = step([1], 'no')
    const { id: _, path: __, task: ___, attempts: ____, ...rest } = only
    expect(joinFailures([only])).toEqual({ ...rest, failures: [only] })
  })

  test('of many the first three are told, and all are listed', () => {
    const all = [1, 2, 3, 4, 5].map((i) => step([i], `no ${i}`))
    expect(joinFailures(all)).toEqual({
      code: 'FLOW_FAILED',
      name: 'Error',
      message: '5 steps failed: add (f/1): no 1; add (f/2): no 2; add (f/3): no 3; and 2 more',
      failures: all,
    })
  })

  test('of none it was cancelled', () => {
    expect(joinFailures([])).toMatchObject({ code: 'CANCELLED', failures: [] })
  })
})

describe('what result() rejects with', () => {
  const failure: Failure = {
    code: 'TASK_FAILED',
    name: 'TypeError',
    message: 'no',
    stack: 'TypeError: no\n    at handler',
    errorCode: 'E',
    causes: ['Error: why', '"because"'],
  }
  test('has the words of the failure and the place of the job', () => {
    const error = toError(failure, { id: 'job', task: 'add', attempts: 3 })
    expect(error).toMatchObject({
      name: 'TaskFailedError',
      code: 'TASK_FAILED',
      message: 'add (job): no',
      id: 'job',
      task: 'add',
      attempts: 3,
      errorName: 'TypeError',
      errorCode: 'E',
      stack: failure.stack,
      failures: [],
    })
    const cause = error.cause as Error
    expect([cause.message, (cause.cause as Error).message]).toEqual(['Error: why', '"because"'])
  })

  test('has a stack of its own when there is none', () => {
    const error = toError(
      { code: 'EXPIRED', name: 'Error', message: 'late' },
      { id: 'a', task: 'b', attempts: 0 },
    )
    expect(error.stack).toContain('late')
    expect(error.cause).toBeUndefined()
  })
})
