import { describe, expect, test } from 'vitest'
import { formatMillis, millis } from '../../src/core/duration.ts'
import { UsageError } from '../../src/errors.ts'

describe('a duration', () => {
  test.each([
    [0, 0],
    [250, 250],
    [1.6, 2],
    ['0s', 0],
    ['250ms', 250],
    ['5s', 5000],
    ['1m', 60_000],
    ['2h', 7_200_000],
    ['14d', 1_209_600_000],
    ['1w', 604_800_000],
    ['1.5h', 5_400_000],
    ['0.5s', 500],
    ['1h30m', 5_400_000],
    ['1w2d3h4m5s6ms', 604_800_000 + 2 * 86_400_000 + 3 * 3_600_000 + 4 * 60_000 + 5006],
    ['1m1ms', 60_001],
    ['36500d', 3_153_600_000_000],
  ])('%j is %i ms', (value, expected) => {
    expect(millis(value, 'delay')).toBe(expected)
  })

  test.each([
    [-1, 'Expected delay to be a duration of 0 or more, got -1.'],
    [Number.NaN, 'such as'],
    [Number.POSITIVE_INFINITY, 'at most 100 years'],
    ['36501d', 'at most 100 years'],
    ['9'.repeat(99), 'with a unit'],
    ['5', "a duration with a unit ('5ms', '5s') or a number of milliseconds, got \"5\"."],
    ['', 'such as'],
    ['-5s', 'such as'],
    ['5 s', 'such as'],
    ['5S', 'such as'],
    ['30m1h', 'such as'],
    ['1s1s', 'such as'],
    ['1e3s', 'such as'],
    ['soon\n', String.raw`"soon\n"`],
    [null, 'got null'],
    [undefined, 'got undefined'],
    [{}, 'got an object'],
    [5n, 'got 5n'],
  ])('%s is refused by name, with what came and what was expected', (value, message) => {
    const call = () => millis(value as number, 'delay')
    expect(call).toThrow(UsageError)
    expect(call).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
    expect(call).toThrow('Expected delay to be')
    expect(call).toThrow(message)
  })

  test.each([
    [0, '0ms'],
    [250, '250ms'],
    [1000, '1s'],
    [5_400_000, '1h30m'],
    [3_600_001, '1h'],
    [1_209_600_000, '2w'],
    [90_061_001, '1d1h'],
  ])('%i ms is shown as %s', (length, text) => {
    expect(formatMillis(length)).toBe(text)
  })
})
