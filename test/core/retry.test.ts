import { describe, expect, test, vi } from 'vitest'
import {
  checkRetry,
  compileRetry,
  layerRetry,
  type Retry,
  type RetryOptions,
  serialisableRetry,
} from '../../src/core/retry.ts'

const delays = (retry: Retry, random = 0.5) => {
  const policy = compileRetry(checkRetry(retry))
  return Array.from({ length: policy.attempts }, (_, i) => policy.next(i + 1, new Error('no'), () => random))
}

describe('retry', () => {
  test.each<[string, Retry, (number | undefined)[]]>([
    ['a number is the attempts, the first run included', 1, [undefined]],
    ['the default is exponential from 1 s with full jitter', 3, [500, 1000, undefined]],
    ['no option at all means three attempts', {}, [500, 1000, undefined]],
    ['fixed repeats one delay', { backoff: 'fixed', from: '2s' }, [2000, 2000, undefined]],
    ['exponential doubles', { attempts: 5, jitter: false }, [1000, 2000, 4000, 8000, undefined]],
    ['to caps it', { attempts: 5, jitter: false, to: '3s' }, [1000, 2000, 3000, 3000, undefined]],
    [
      'fibonacci adds the last two',
      { attempts: 7, backoff: 'fibonacci' },
      [1000, 1000, 2000, 3000, 5000, 8000, undefined],
    ],
    ['jitter may be asked for', { backoff: 'fixed', jitter: true }, [500, 500, undefined]],
    [
      'from may be above the default cap',
      { backoff: 'fixed', from: '2h' },
      [7_200_000, 7_200_000, undefined],
    ],
    ['from may be 0', { from: 0 }, [0, 0, undefined]],
    ['a function decides', { backoff: (attempt) => `${attempt}m` }, [60_000, 120_000, undefined]],
    [
      "a function's delay is capped by a given to",
      { backoff: () => '2h', to: '1h' },
      [3_600_000, 3_600_000, undefined],
    ],
    ['and by no other', { backoff: () => '2h' }, [7_200_000, 7_200_000, undefined]],
  ])('%s', (_, retry, expected) => {
    expect(delays(retry)).toEqual(expected)
  })

  test('full jitter spreads a delay between 0 and itself', () => {
    expect(delays({ attempts: 2, from: 1000 }, 0)).toEqual([0, undefined])
    expect(delays({ attempts: 2, from: 1000 }, 0.999)).toEqual([999, undefined])
  })

  test('the ten thousandth attempt still has a finite delay', () => {
    for (const backoff of ['exponential', 'fibonacci', 'fixed'] as const) {
      const policy = compileRetry(checkRetry({ attempts: 10_000, backoff, jitter: false }))
      expect(policy.next(9999, undefined, Math.random)).toBe(backoff === 'fixed' ? 1000 : 3_600_000)
    }
  })

  test('retryIf may end it early, and is told the error and the attempt', () => {
    const retryIf = vi.fn(() => false)
    const policy = compileRetry(checkRetry({ retryIf }))
    const error = new Error('no')
    expect(policy.next(1, error, Math.random)).toBeUndefined()
    expect(retryIf).toHaveBeenCalledWith(error, 1)
  })

  test.each<[string, RetryOptions]>([
    ['a backoff that throws', { backoff: () => assertFail() }],
    ['a backoff that returns no duration', { backoff: () => 'soon' }],
    ['a backoff that returns nothing', { backoff: () => undefined as never }],
    ['a backoff that is negative', { backoff: () => -1 }],
    ['an async backoff', { backoff: (async () => assertFail()) as never }],
    ['a retryIf that throws', { retryIf: () => assertFail() }],
    ['a retryIf that returns no boolean', { retryIf: () => undefined as never }],
    ['an async retryIf', { retryIf: (async () => assertFail()) as never }],
  ])('%s does not lose the job: the exponential delay holds and the fault is reported', (_, retry) => {
    const report = vi.fn()
    const policy = compileRetry(checkRetry(retry))
    expect(policy.next(2, new Error('no'), () => 0.5, report)).toBe(1000)
    expect(report).toHaveBeenCalledOnce()
    expect(policy.next(3, new Error('no'), () => 0.5, report)).toBeUndefined()
  })

  test.each<[unknown, string, string]>([
    [0, 'INVALID_OPTION', 'Expected retry to be a whole number from 1'],
    [1.5, 'INVALID_OPTION', 'retry'],
    [Number.POSITIVE_INFINITY, 'INVALID_OPTION', 'retry'],
    ['3', 'INVALID_OPTION', 'Expected the options of retry to be an object'],
    [null, 'INVALID_OPTION', 'got null'],
    [{ attempts: 0 }, 'INVALID_OPTION', 'retry.attempts'],
    [{ backoff: 'linear' }, 'INVALID_OPTION', "retry.backoff to be 'fixed', 'exponential', 'fibonacci'"],
    [{ from: 'x' }, 'INVALID_OPTION', 'retry.from'],
    [{ to: -1 }, 'INVALID_OPTION', 'retry.to'],
    [{ from: '2m', to: '1m' }, 'INVALID_OPTION', 'Expected retry.to to be at least retry.from, got "1m".'],
    [{ jitter: 1 }, 'INVALID_OPTION', 'retry.jitter'],
    [{ retryIf: true }, 'INVALID_OPTION', 'retry.retryIf'],
    [{ atempts: 3 }, 'UNKNOWN_OPTION', 'retry has no option "atempts". Did you mean "attempts"?'],
  ])('%j is refused', (retry, code, message) => {
    expect(() => checkRetry(retry as Retry)).toThrow(expect.objectContaining({ code }))
    expect(() => checkRetry(retry as Retry)).toThrow(message)
  })

  test('a rule that travels with a job holds no functions', () => {
    const rule = serialisableRetry({ attempts: 5, backoff: 'fixed', from: '1s', to: '1m', jitter: true })
    expect(rule).toEqual({ attempts: 5, backoff: 'fixed', from: 1000, to: 60_000, jitter: true })
    expect(() => serialisableRetry({ backoff: () => 1 })).toThrow('task definition')
    expect(() => serialisableRetry({ retryIf: () => true })).toThrow('task definition')
  })

  test('the stronger level wins field by field, and a cap of another level never throws', () => {
    const rule = layerRetry(
      checkRetry({ attempts: 9, to: '1m', jitter: false }),
      serialisableRetry({ from: '2m' }),
    )
    expect(rule).toEqual({ attempts: 9, from: 120_000, to: 60_000, jitter: false })
    expect(compileRetry(rule).next(1, undefined, Math.random)).toBe(60_000)
  })
})

function assertFail(): never {
  throw new Error('thrown on purpose')
}
