import { describe, expect, test } from 'vitest'
import {
  checkJobOptions,
  checkRunOptions,
  DEFAULTS,
  type JobOptions,
  layer,
} from '../../src/core/settings.ts'

const check = (options: unknown) => checkJobOptions(options as JobOptions, 'enqueue')

describe('the options of a job', () => {
  test.each<[JobOptions, unknown]>([
    [{}, {}],
    [
      { queue: 'slow', priority: 3 },
      { queue: 'slow', priority: 3 },
    ],
    [{ delay: '5s' }, { due: { in: 5000 } }],
    [{ delay: 0 }, { due: { in: 0 } }],
    [{ at: new Date(1234) }, { due: { at: 1234 } }],
    [{ at: 1234 }, { due: { at: 1234 } }],
    [
      { expires: '1m', timeout: '2s' },
      { expiresIn: 60_000, timeout: 2000 },
    ],
    [{ timeout: false }, { timeout: false }],
    [{ keep: '1h' }, { keep: { succeeded: 3_600_000, failed: 3_600_000 } }],
    [{ keep: 0 }, { keep: { succeeded: 0, failed: 0 } }],
    [{ keep: { failed: '1d' } }, { keep: { failed: 86_400_000 } }],
    [{ retry: 5 }, { retry: { attempts: 5 } }],
    [{ headers: { a: 'b' } }, { headers: { a: 'b' } }],
    [{ queue: undefined, delay: undefined } as never, {}],
  ])('%j', (options, settings) => {
    expect(check(options)).toEqual(settings)
  })

  test.each<[unknown, string]>([
    [{ delay: 1, at: 1 }, 'enqueue takes delay or at, not both.'],
    [{ at: new Date('x') }, 'a valid Date'],
    [{ at: '2030-01-01' }, 'a valid Date'],
    [{ at: -1 }, 'a valid Date'],
    [{ timeout: 0 }, 'Expected timeout to be longer than 0 (false sets none), got 0.'],
    [{ timeout: true }, 'timeout'],
    [{ expires: 0 }, 'Expected expires to be longer than 0'],
    [{ keep: false }, 'keep'],
    [{ keep: null }, 'keep'],
    [{ keep: { success: 1 } }, 'keep has no option "success"'],
    [{ keep: { failed: 'x' } }, 'keep.failed'],
    [{ queue: '' }, 'queue'],
    [{ priority: 10 }, 'priority'],
    [{ retry: { retryIf: () => true } }, 'task definition'],
    [{ headers: [] }, 'headers'],
    [{ headers: { a: 1 } }, 'Expected headers["a"] to be a string, got 1.'],
    [{ headers: { 'a\n': '1' } }, 'control characters'],
    [{ headers: JSON.parse('{"__proto__":"x"}') }, '__proto__'],
    [{ dealy: 1 }, 'enqueue has no option "dealy". Did you mean "delay"?'],
    [null, 'got null'],
  ])('%j is refused', (options, message) => {
    expect(() => check(options)).toThrow(message)
  })

  test('a task may hold functions where a call may not', () => {
    const retryIf = () => true
    expect(checkRunOptions({ retry: { retryIf } })).toEqual({ retry: { retryIf } })
  })

  test('the stronger level wins; retry, keep and headers field by field', () => {
    expect(
      layer(
        DEFAULTS,
        undefined,
        checkRunOptions({ queue: 'a', retry: { attempts: 5, from: '2s' }, keep: { failed: 1 } }),
        check({ queue: 'b', headers: { x: '1', y: '1' } }),
        check({ retry: 7, headers: { y: '2' }, delay: 5 }),
      ),
    ).toEqual({
      queue: 'b',
      priority: 0,
      retry: { attempts: 7, from: 2000 },
      timeout: 1_800_000,
      keep: { succeeded: 3_600_000, failed: 1 },
      headers: { x: '1', y: '2' },
      due: { in: 5 },
    })
  })

  test('headers are copied: a later change of the given object does not reach the job', () => {
    const headers = { a: '1' }
    const settings = check({ headers })
    headers.a = '2'
    expect(settings.headers).toEqual({ a: '1' })
  })
})
