import { isDeepStrictEqual } from 'node:util'
import vm from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../src/core/codec.ts'
import { UsageError } from '../../src/errors.ts'

const roundTrip = (value: unknown) => decode(encode(value, 'input'))
const nested = (levels: number) => {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { a: value }
  return value
}
class Point {
  x = 1
}

describe('what arrives equals what was sent', () => {
  test.each<[string, unknown]>([
    ['null', null],
    ['true', true],
    ['0', 0],
    ['-0', -0],
    ['-0 within', { a: [-0, 0] }],
    ['numbers', [1, -1, 1.5, 5e-324, 1.7976931348623157e308, 2 ** 53 + 2]],
    ['the empty string', ''],
    ['a lone surrogate', ['\ud800', 'x\udfffy', { '\udc00': 1 }]],
    ['control characters', '\u0000\u001b\u2028\n"\\'],
    ['a text that looks like a tag', ['{"$":["date","x"]}', '"__proto__":', '\\{"$":[']],
    ['undefined', undefined],
    ['an undefined field', { a: undefined, b: 1 }],
    ['an undefined element', [undefined, 1, undefined]],
    ['bigint', [0n, -1n, 2n ** 200n]],
    ['Date', [new Date(0), new Date(8.64e15), new Date(-8.64e15), new Date(1.5e12)]],
    ['Uint8Array', new Uint8Array([0, 1, 254, 255])],
    ['an empty Uint8Array', new Uint8Array()],
    ['a view into a longer buffer', new Uint8Array(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)],
    ['Buffer', Buffer.from('grüße')],
    [
      'Map',
      new Map<unknown, unknown>([
        ['a', 1],
        [{ k: 1 }, new Date(1)],
        [undefined, new Set([1n])],
      ]),
    ],
    ['Set', new Set(['a', [1], undefined])],
    ['an object with the key $', { $: ['date', '2026-01-01T00:00:00.000Z'] }],
    ['an object with the key $ that holds tags', { $: { $: new Date(5) }, b: new Date(6) }],
    ['an object with the key $ and no tag in it', { $: 1 }],
    [
      'what is inherited by name',
      { constructor: 1, toString: { prototype: 2 }, hasOwnProperty: 3, toJSON: 4 },
    ],
    ['keys that are numbers', { 2: 'b', 1: 'a', '-1': 'c', '': 'd' }],
    ['nothing', [{}, [], [[]]]],
    ['500 levels', nested(500)],
    ['500 levels and a tag', { a: -0, b: nested(499) }],
    ['a frozen value', Object.freeze([Object.freeze({ a: new Date(1) })])],
  ])('%s', (_, value) => {
    expect(roundTrip(value)).toStrictEqual(value)
  })

  test('the order of keys is kept, also beside tags', () => {
    expect(Object.keys(roundTrip({ z: 1n, a: 2, $: 3 }) as object)).toEqual(['z', 'a', '$'])
  })

  test('a Buffer arrives as a Buffer, and a Uint8Array with memory of its own', () => {
    const [buffer, bytes] = roundTrip([Buffer.from('a'), new Uint8Array([1])]) as [Buffer, Uint8Array]
    expect(Buffer.isBuffer(buffer)).toBe(true)
    expect(Buffer.isBuffer(bytes)).toBe(false)
    expect(bytes.buffer.byteLength).toBe(1)
  })

  test('an object without prototype arrives as a plain one', () => {
    const bare = Object.assign(Object.create(null), { a: 1, when: new Date(1) })
    expect(roundTrip(bare)).toStrictEqual({ a: 1, when: new Date(1) })
    expect(roundTrip(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 })
  })

  test('what was shared arrives as copies', () => {
    const shared = { when: new Date(1) }
    const [a, b] = roundTrip([shared, shared]) as object[]
    expect(a).toStrictEqual(shared)
    expect(a).not.toBe(b)
  })

  test('a non-enumerable property does not arrive', () => {
    expect(roundTrip(Object.defineProperty({ a: 1 }, 'b', { value: () => 1 }))).toStrictEqual({ a: 1 })
  })

  test('values of another realm are taken as what they are', () => {
    const foreign: unknown = vm.runInNewContext(
      '({ a: [1, { b: new Date(5) }], m: new Map([[1, new Set([2])]]), u: new Uint8Array([7]) })',
    )
    expect(roundTrip(foreign)).toStrictEqual({
      a: [1, { b: new Date(5) }],
      m: new Map([[1, new Set([2])]]),
      u: new Uint8Array([7]),
    })
  })

  test('an enumerable addition to Object.prototype neither arrives nor disturbs', () => {
    const prototype = Object.prototype as { polyfill?: unknown }
    prototype.polyfill = () => 1
    try {
      expect(encode({ a: 1 }, 'input')).toBe('{"a":1}')
      expect(encode({ a: 1n }, 'input')).toBe('{"a":{"$":["bigint","1"]}}')
    } finally {
      delete prototype.polyfill
    }
  })

  test('any value that is not refused', () => {
    fc.assert(
      // Not toStrictEqual, which takes an own key "constructor" for the class.
      fc.property(storable, (value) => isDeepStrictEqual(roundTrip(value), value)),
      { numRuns: 2000 },
    )
  })

  test('any JSON value is written as JSON.stringify writes it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        fc.pre(!hasTrap(value))
        expect(encode(value, 'input')).toBe(JSON.stringify(value))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('what would not arrive as it is', () => {
  const cycle: Record<string, unknown> = { a: { b: [] } }
  ;(cycle.a as { b: unknown[] }).b.push(cycle)
  const twice: Record<string, unknown> = {}
  twice.left = twice
  twice.right = twice
  // biome-ignore lint/suspicious/noSparseArray: the point of the test
  const sparse = [1, , 2]

  test.each<[unknown, string, string]>([
    [{ a: Number.NaN }, 'input.a', 'is NaN'],
    [{ images: [{}, {}, { when: new Date('x') }] }, 'input.images[2].when', 'is an invalid Date'],
    [[1, Number.NEGATIVE_INFINITY], 'input[1]', 'is -Infinity'],
    [() => 1, 'input', 'is a function'],
    [{ toJSON: () => 1 }, 'input.toJSON', 'is a function'],
    [{ 'a b': Symbol('x') }, 'input["a b"]', 'is a symbol'],
    [{ a: { [Symbol('x')]: 1 } }, 'input.a', 'has the key Symbol(x)'],
    [cycle, 'input.a.b[0]', 'refers back to input,'],
    [twice, 'input.left', 'refers back to input,'],
    [{ p: new Point() }, 'input.p', 'is an instance of the class Point'],
    [
      new (class Decimal {
        toJSON() {}
      })(),
      'input',
      'Send plain data, such as its toJSON()',
    ],
    [new (class extends Map {})(), 'input', 'class'],
    [
      new (class Rows extends Array {})(),
      'input',
      'class Rows, which would not arrive as it is. Send plain data, such as [...it]',
    ],
    [new (class Day extends Date {})(), 'input', 'class Day'],
    [Object.create({ a: 1 }), 'input', 'has a prototype of its own'],
    [sparse, 'input[1]', 'is a hole in a sparse array'],
    [new Float32Array(1), 'input', 'is a Float32Array'],
    [new ArrayBuffer(1), 'input', 'is an ArrayBuffer'],
    [new DataView(new ArrayBuffer(1)), 'input', 'is a DataView'],
    [JSON.parse('{"a":{"__proto__":{"polluted":1}}}'), 'input.a.__proto__', 'could change a prototype'],
    [Promise.resolve(1), 'input', 'is a Promise, which would not arrive as it is. Await it first.'],
    [{ error: new TypeError('x') }, 'input.error', 'is an error (TypeError)'],
    [/a/, 'input', 'is a RegExp'],
    [/(a)/.exec('a'), 'input', 'has the property "index" beside its content'],
    [Object.assign(new Map(), { a: 1 }), 'input', 'has the property "a" beside its content'],
    [new URL('http://localhost'), 'input', 'such as its href'],
    [new String('x'), 'input', 'is a String object'],
    [new WeakMap(), 'input', 'class WeakMap'],
    [Math, 'input', 'has the key Symbol(Symbol.toStringTag)'],
    [new Map([['a', new Map([[{ f: () => 1 }, 1]])]]), 'input.get("a").keys()[0].f', 'is a function'],
    [new Map([[{}, Number.NaN]]), 'input.values()[0]', 'is NaN'],
    [new Set([1, Number.NaN]), 'input.values()[1]', 'is NaN'],
    [{ $: { $: new Point() } }, 'input.$.$', 'class Point'],
    [nested(501), `input${'.a[0]'.repeat(250)}`, 'is nested deeper than 500 levels'],
    [nested(100_000), `input${'.a[0]'.repeat(250)}`.replace(/^input\.a\[0\]/, 'input[0].a'), 'deeper'],
  ])('is refused with its path (%#)', (value, path, message) => {
    const error = caught(() => encode(value, 'input'))
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toMatchObject({ code: 'UNSERIALISABLE' })
    expect((error as UsageError).message).toContain(message)
    if (!message.startsWith('deeper') && !message.includes('nested'))
      expect((error as UsageError).path).toBe(path)
  })

  test('a small value that stands for endless ones is refused instead of hanging', () => {
    let value: unknown = 1
    for (let i = 0; i < 100; i++) value = [value, value]
    expect(() => encode(value, 'input')).toThrow(expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }))
  })

  test('anything at all is either refused or arrives equal', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
          withBoxedValues: true,
          withSparseArray: true,
        }),
        (value) => {
          let text: string
          try {
            text = encode(value, 'input')
          } catch (error) {
            expect(error).toMatchObject({ code: 'UNSERIALISABLE' })
            return
          }
          expect(decode(text)).toEqual(value)
          expect(encode(decode(text), 'input')).toBe(text)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('a damaged or forged text', () => {
  test.each([
    '',
    '{',
    '{"$":[]}',
    '{"$":["date"]}',
    '{"$":["date","yesterday"]}',
    '{"$":["date","2026-01-01"]}',
    '{"$":["date",1]}',
    '{"$":["date","2026-01-01T00:00:00.000Z",1]}',
    '{"$":["undefined",1]}',
    '{"$":["number","NaN"]}',
    '{"$":["bigint","0x10"]}',
    '{"$":["bigint",1]}',
    '{"$":["bytes","%%%%"]}',
    '{"$":["bytes","abc"]}',
    '{"$":["buffer",{"length":1e9}]}',
    '{"$":["map",[[1]]]}',
    '{"$":["map",{"a":1}]}',
    '{"$":["set","abc"]}',
    '{"$":["object",[]]}',
    '{"$":["object",null]}',
    '{"$":["constructor","x"]}',
    '{"$":["__proto__",{}]}',
    '{"$":[["date"],"x"]}',
    '{"$":["date","2026-01-01T00:00:00.000Z"],"a":1}',
    '[{"$":["undefined"]},{"$":1}]',
    '{"a":{"__proto__":{"polluted":1}}}',
    '{"__proto__":{"polluted":1},"b":{"$":["undefined"]}}',
    '{"$":["object",{"__proto__":{"polluted":1}}]}',
    `${'['.repeat(5000)}{"$":["undefined"]}${']'.repeat(5000)}`,
  ])('is refused: %s', (text) => {
    expect(() => decode(text)).toThrow(SyntaxError)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('never sets a prototype, however the key is written', () => {
    const value = decode('{"\\u005f_proto__":{"polluted":1}}') as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('is refused or read, but never anything else', () => {
    const parts = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"$"',
      '"date"',
      '"map"',
      '"object"',
      '"__proto__"',
      '1',
      'null',
      '"x"',
    ]
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts, '{"$":[', ']}'), { maxLength: 30 }), (pieces) => {
        try {
          decode(pieces.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError)
        }
      }),
      { numRuns: 3000 },
    )
  })
})

const key = fc
  .oneof(fc.string({ unit: 'binary' }), fc.constantFrom('$', 'toJSON', 'constructor', 'length'))
  .filter((name) => name !== '__proto__')
const { storable } = fc.letrec<{ storable: unknown; leaf: unknown; node: unknown }>((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom<unknown>(null, undefined, true, false, -0, '{"$":['),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary' }),
    fc.array(fc.integer({ min: 0xd7f0, max: 0xe010 })).map((units) => String.fromCharCode(...units)),
    fc.bigInt(),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  ),
  node: fc.oneof(
    fc.array(tie('storable'), { maxLength: 5 }),
    fc.dictionary(key, tie('storable'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(tie('storable'), tie('storable')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('storable'), { maxLength: 4 }).map((items) => new Set(items)),
  ),
  storable: fc.oneof({ maxDepth: 5, withCrossShrink: true }, tie('leaf'), tie('node')),
}))

function hasTrap(value: unknown): boolean {
  if (Object.is(value, -0)) return true
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([name, item]) => name === '$' || name === '__proto__' || hasTrap(item))
}

function caught(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('expected it to throw')
}
