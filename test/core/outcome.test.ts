import { describe, expect, test, vi } from 'vitest'
import { describeFailure, unpackFailure } from '../../src/core/failure.ts'
import { afterThrow, cancelled, failed, notMine, type Policy, succeeded } from '../../src/core/outcome.ts'
import { checkRetry, compileRetry } from '../../src/core/retry.ts'
import { Discard, RetryLater } from '../../src/errors.ts'
import type { Delivery, End } from '../../src/port/index.ts'

const DAY = 86_400_000
const delivery = (fields: Partial<Delivery> = {}): Delivery => ({
  job: { id: 'a', task: 't', queue: 'q', body: '1[1]', priority: 0, keep: { succeeded: 0, failed: 0 } },
  token: 1,
  attempt: 1,
  crashes: 0,
  age: 0,
  ...fields,
})
const policy = (fields: Partial<Policy> = {}): Policy => ({
  retry: compileRetry(checkRetry({ attempts: 3, from: 1000, jitter: false })),
  giveUpAfter: 7 * DAY,
  random: () => 0.5,
  ...fields,
})
/** An end with its failure unpacked, as far as it is told here. */
const told = (end: End) => {
  if (end.kind === 'final' && end.state !== 'succeeded') {
    const { code, message } = unpackFailure(end.result)
    return { kind: end.kind, state: end.state, code, message }
  }
  if (end.kind === 'again') return { kind: end.kind, delay: end.delay, counts: end.counts }
  return end
}

describe('after a throw', () => {
  test.each<[string, unknown, Partial<Delivery>, object]>([
    [
      'the first attempt is followed by another',
      new Error('no'),
      {},
      { kind: 'again', delay: 1000, counts: true },
    ],
    [
      'the second waits longer',
      new Error('no'),
      { attempt: 2 },
      { kind: 'again', delay: 2000, counts: true },
    ],
    ['the last is the end', new Error('no'), { attempt: 3 }, { code: 'TASK_FAILED', message: 'no' }],
    [
      'an attempt beyond the last is too',
      new Error('no'),
      { attempt: 9 },
      { code: 'TASK_FAILED', message: 'no' },
    ],
    ['Discard ends it at once', new Discard('gone'), {}, { code: 'DISCARDED', message: 'gone' }],
    ['RetryLater counts nothing', new RetryLater('5m'), { attempt: 3 }, { delay: 300_000, counts: false }],
    [
      'RetryLater for too long ends it',
      new RetryLater('5m', 'busy'),
      { age: 7 * DAY },
      { code: 'GAVE_UP', message: 'gave up after many "later": busy' },
    ],
    [
      'RetryLater just before that does not',
      new RetryLater(1),
      { age: 7 * DAY - 1 },
      { delay: 1, counts: false },
    ],
    ['RetryLater with no delay at all ends it', new RetryLater('soon'), {}, { code: 'TASK_FAILED' }],
    ['RetryLater with a negative one too', new RetryLater(-1), {}, { code: 'TASK_FAILED' }],
    ['null is a failure', null, { attempt: 3 }, { code: 'TASK_FAILED', message: 'threw null' }],
  ])('%s', (_, thrown, fields, expected) => {
    expect(told(afterThrow(delivery(fields), thrown, 'TASK_FAILED', policy()))).toMatchObject(expected)
  })

  test('a timeout is a counted failure, and told as one', () => {
    const late = new Error('late')
    expect(afterThrow(delivery(), late, 'TIMEOUT', policy())).toMatchObject({ counts: true })
    expect(told(afterThrow(delivery({ attempt: 3 }), late, 'TIMEOUT', policy()))).toMatchObject({
      code: 'TIMEOUT',
    })
  })

  test('a proxy that throws on everything is a failure like any other', () => {
    const explode = () => {
      throw new Error('do not touch')
    }
    const proxy = new Proxy({}, { get: explode, getPrototypeOf: explode, has: explode, ownKeys: explode })
    expect(told(afterThrow(delivery({ attempt: 3 }), proxy, 'TASK_FAILED', policy()))).toMatchObject({
      code: 'TASK_FAILED',
      message: 'threw a value that can not be described',
    })
  })

  test('a fault in retryIf is reported', () => {
    const report = vi.fn()
    const retryIf = () => {
      throw new Error('mine')
    }
    const retry = compileRetry(checkRetry({ retryIf }))
    expect(afterThrow(delivery(), new Error('no'), 'TASK_FAILED', policy({ retry, report }))).toMatchObject({
      kind: 'again',
    })
    expect(report).toHaveBeenCalledOnce()
  })
})

describe('a job that this worker does not know', () => {
  const failure = describeFailure(new Error('no task'), 'UNKNOWN_TASK')
  test.each([
    [0, 500],
    [500, 500],
    [4000, 4000],
    [100_000, 60_000],
    [3_590_000, 10_000],
  ])('of an age of %d ms comes again after %d', (age, delay) => {
    expect(notMine(delivery({ age }), failure, 3_600_000)).toMatchObject({
      kind: 'again',
      delay,
      counts: false,
    })
  })

  test('fails once it was due for too long', () => {
    expect(told(notMine(delivery({ age: 3_600_000 }), failure, 3_600_000))).toMatchObject({
      code: 'UNKNOWN_TASK',
    })
  })
})

test('ends by state', () => {
  expect(succeeded('1"x"')).toEqual({ kind: 'final', state: 'succeeded', result: '1"x"' })
  const failure = describeFailure(new Error('no'))
  expect(told(failed(failure))).toMatchObject({ state: 'failed', code: 'TASK_FAILED' })
  expect(told(cancelled(failure))).toMatchObject({ state: 'cancelled', code: 'CANCELLED', message: 'no' })
})
