import { describe, expect, test } from 'vitest'
import { type Call, packCall, packValue, unpackCall, unpackValue } from '../../src/core/body.ts'

describe('the body of a call', () => {
  test.each<[string, Call, string]>([
    ['of an input alone is short', { input: { n: 1 } }, '1[{"n":1}]'],
    ['of no input', {}, '1[{"$":["undefined"]}]'],
    ['holds what else there is beside it', { input: 1, timeout: false }, '1[1,{"timeout":false}]'],
    [
      'of a step that reads',
      { from: 'f/0>', reads: 'failure' },
      '1[{"$":["undefined"]},{"from":"f/0>","reads":"failure"}]',
    ],
    ['with a retry rule', { input: null, retry: { attempts: 2 } }, '1[null,{"retry":{"attempts":2}}]'],
  ])('%s', (_, call, body) => {
    expect(packCall(call)).toBe(body)
    expect(unpackCall(body)).toEqual({ input: undefined, ...call })
  })

  test('keeps headers of any name as own fields', () => {
    const headers = { constructor: 'a', toString: 'b', $: 'c' } as unknown as Record<string, string>
    expect(unpackCall(packCall({ input: 1, headers })).headers).toEqual(headers)
  })

  test('over the limit is refused by its size in bytes, exactly', () => {
    const refused = expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' })
    expect(packCall({ input: 'x'.repeat(95) }, 100)).toHaveLength(100)
    expect(() => packCall({ input: 'x'.repeat(96) }, 100)).toThrow(refused)
    expect(Buffer.byteLength(packCall({ input: '€'.repeat(31) }, 98))).toBe(98)
    expect(() => packCall({ input: '€'.repeat(32) }, 98)).toThrow(
      'The input takes 101 bytes, and the limit is 98.',
    )
  })

  test.each(['', '2[1]', '1', '1{}', '1[', '1null', 'null', '["x"]', '\0'])(
    '%j is of an unknown format',
    (body) => {
      expect(() => unpackCall(body)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
    },
  )

  test('a long body of an unknown format is not shown whole', () => {
    expect(() => unpackCall(`9${'x'.repeat(10_000)}`)).toThrow(/^.{0,80}$/)
  })
})

describe('the body of a value', () => {
  test.each([null, 0, '', [], { a: undefined }, new Map([[1n, new Date(0)]])])('keeps %j', (value) => {
    expect(unpackValue(packValue(value, 'output'))).toEqual(value)
  })

  test('is refused by the path of what would not arrive', () => {
    expect(() => packValue({ a: [() => 1] }, 'output')).toThrow(
      expect.objectContaining({ path: 'output.a[0]' }),
    )
  })
})
