import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { echo, rejection } from './build.ts'
import { photo, schema } from './schema.ts'
import type { Subject } from './stage.ts'

const thumbnail = task('thumbnail', { input: photo }, ({ key, width }) => `${key} ${width}`)
/** The same task, called without regard for its types. */
const careless = thumbnail as unknown as typeof unchecked
/** The same task, as a producer that knows no schema calls it. */
const unchecked = task<unknown, unknown>('thumbnail', () => {})

const values: readonly (readonly [what: string, value: unknown])[] = [
  ['null', null],
  ['booleans', [true, false]],
  ['numbers', [0, -0, 1.5, Number.MAX_SAFE_INTEGER, 5e-324]],
  ['texts', ['', 'ü ✓ 🦆', '\0\n"\\', '\ud800', '</script>']],
  ['arrays', [[], [[1], [2, [3]]]]],
  ['objects', [{}, { a: { b: { c: null } } }, { 'a b': 1, '': 2, 0: 3 }]],
  ['undefined', [undefined, { a: undefined }]],
  ['bigints', [0n, -1n, 123456789012345678901234567890n]],
  ['dates', [new Date(0), new Date('2026-02-28T12:34:56.789Z'), new Date(-1e14)]],
  ['bytes', [new Uint8Array([0, 127, 255]), Buffer.from('millrace'), new Uint8Array()]],
  [
    'maps',
    [
      new Map<unknown, unknown>([
        ['a', 1],
        [{ k: 1 }, new Map([[1n, new Date(5)]])],
      ]),
      new Map(),
    ],
  ],
  ['sets', [new Set([1, 'a', new Set([null])]), new Set()]],
  ['an object with the key $', { $: ['date', 'x'], other: { $: { $: 1 } } }],
  ['keys like those of every object', { constructor: 1, toString: 'x', hasOwnProperty: null }],
]

class Point {
  x = 1
}
const cycle: Record<string, unknown> = {}
cycle.self = { again: cycle }

const refused: readonly (readonly [what: string, value: unknown, path: string])[] = [
  ['a function', { a: { f: () => 1 } }, 'input.a.f'],
  ['a symbol', [Symbol('s')], 'input[0]'],
  ['NaN', { rate: Number.NaN }, 'input.rate'],
  ['an infinite number', [1, Number.NEGATIVE_INFINITY], 'input[1]'],
  ['a cycle', cycle, 'input.self.again'],
  ['an instance of a class', { at: new Point() }, 'input.at'],
  ['a key __proto__', { a: JSON.parse('{"__proto__":{"polluted":1}}') }, 'input.a.__proto__'],
  ['a promise', { a: Promise.resolve(1) }, 'input.a'],
  ['an error', { a: new Error('x') }, 'input.a'],
  ['an invalid date', { 'some date': new Date('never') }, 'input["some date"]'],
  ['a hole in an array', Object.assign([1], { length: 2 }), 'input[1]'],
  ['a value in a map', { m: new Map([['k', () => 1]]) }, 'input.m.get("k")'],
]

const arriving = Object.fromEntries(
  values.map(([what, value]) => [
    `what is sent arrives as it was: ${what}`,
    async (stage) => {
      let arrived: unknown
      const take = task('take', (input: unknown) => {
        arrived = input
        return input
      })
      await stage.worker([take])
      const job = await stage.app.enqueue(take.with(value))
      assert.deepStrictEqual(await job.result(), value)
      assert.deepStrictEqual(arrived, value)
      const info = (await job.info())!
      assert.deepStrictEqual([info.input, info.result], [value, value])
      assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    },
  ]),
) satisfies Subject

const refusals = Object.fromEntries(
  refused.map(([what, value, path]) => [
    `what would not arrive as it is is refused at the call, by its path: ${what}`,
    async ({ app }) => {
      await assert.rejects(app.enqueue(echo.with(value)), {
        name: 'UsageError',
        code: 'UNSERIALISABLE',
        path,
      })
      assert.deepEqual((await app.jobs()).jobs, [])
    },
  ]),
) satisfies Subject

export const input: Subject = {
  'an input is checked at the call, and the error names task and path': async ({ app }) => {
    const wrong = { key: 'cat.jpg', width: 'wide' }
    const error = await rejection(app.enqueue(careless.with(wrong)))
    assert.deepEqual(
      { ...(error as object), message: (error as Error).message },
      {
        name: 'UsageError',
        code: 'INVALID_INPUT',
        path: 'input.width',
        message: 'thumbnail: input.width: Expected a number',
      },
    )
    await assert.rejects(app.enqueue([thumbnail.with({ key: 'a' }), careless.with({})]), {
      path: '[1].input.key',
    })
    assert.deepEqual((await app.jobs()).jobs, [])
  },

  'the handler gets the parsed value, and the input is stored as given': async (stage) => {
    await stage.worker([thumbnail])
    const job = await stage.app.enqueue(thumbnail.with({ key: 'cat.jpg' }))
    assert.equal(await job.result(), 'cat.jpg 320')
    assert.deepEqual((await job.info())?.input, { key: 'cat.jpg' })
    assert.equal(await (await stage.app.enqueue(thumbnail.with({ key: 'b', width: 1.6 }))).result(), 'b 2')
  },

  'an input is checked again at the worker, and a wrong one fails at once, with its path': async (stage) => {
    await stage.worker([thumbnail])
    const job = await stage.app.enqueue(unchecked.with({ key: 'a', width: null }))
    await assert.rejects(job.result(), {
      name: 'TaskFailedError',
      code: 'INVALID_INPUT',
      attempts: 1,
      message: /input\.width: Expected a number/,
    })
  },

  'a contract is all that a producer needs, and its schemas are checked': async (stage) => {
    const contract = task('resize', {
      input: photo,
      output: schema<number, string>((n) => ({ value: `${n} px` })),
    })
    await stage.worker([contract.handle(({ width }) => width)])
    await assert.rejects(stage.app.enqueue(contract.with({ key: 1 as never })), { code: 'INVALID_INPUT' })
    const job = await stage.app.enqueue(contract.with({ key: 'a', width: 7 }))
    assert.equal(await job.result(), '7 px')
    assert.equal(await stage.app.job(job.id, contract).result(), '7 px')
  },

  'a schema may take its time, at the call and at the worker': async (stage) => {
    const slow = schema<number, number>(async (n) => {
      await Promise.resolve()
      return n > 0 ? { value: n * 10 } : { issues: [{ message: 'Expected more' }] }
    })
    const patient = task('patient', { input: slow, output: slow }, (n) => n + 1)
    await stage.worker([patient])
    assert.equal(await (await stage.app.enqueue(patient.with(1))).result(), 110)
    await assert.rejects(stage.app.enqueue(patient.with(0)), { path: 'input', message: /Expected more/ })
    await assert.rejects(stage.app.enqueue([patient.with(1), patient.with(0)]), { path: '[1].input' })
    const minus = await stage.app.enqueue(task<number, unknown>('patient', () => {}).with(-1))
    await assert.rejects(minus.result(), { code: 'INVALID_INPUT' })
  },

  'what a schema throws at the worker says nothing about the input: it is a failure like any other': async (
    stage,
  ) => {
    let calls = 0
    const shaky = schema<number, number>((n) => {
      if (++calls < 3) throw new Error('no connection')
      return { value: n }
    })
    const looked = task('looked', { input: shaky, retry: { from: 0 } }, (n) => n)
    await stage.worker([looked])
    await assert.rejects(stage.app.enqueue(looked.with(1)), { message: 'no connection' })
    const job = await stage.app.enqueue(task<number, unknown>('looked', () => {}).with(1))
    assert.equal(await job.result(), 1)
    assert.equal((await job.info())?.attempt, 2)
  },

  'an output that its schema refuses fails the job at once, with the path': async (stage) => {
    const wrong = task('wrong', { output: photo }, () => ({ key: 1 }) as never)
    await stage.worker([wrong])
    await assert.rejects((await stage.app.enqueue(wrong.with(null))).result(), {
      code: 'INVALID_OUTPUT',
      attempts: 1,
      message: /output\.key: Expected a string/,
    })
  },

  'an output that can not be stored fails the job at once, with the path': async (stage) => {
    const odd = task('odd', (): unknown => ({ list: [1, Symbol('x')] }))
    const huge = task('huge', () => 'x'.repeat(3000))
    await stage.worker([odd, huge], {}, await stage.process({ payloadLimit: 2000 }))
    await assert.rejects((await stage.app.enqueue(odd.with(null))).result(), {
      code: 'UNSERIALISABLE',
      attempts: 1,
      message: /output\.list\[1\] is a symbol/,
    })
    await assert.rejects((await stage.app.enqueue(huge.with(null))).result(), {
      code: 'PAYLOAD_TOO_LARGE',
      attempts: 1,
    })
  },

  'a handler that returns nothing results in undefined': async (stage) => {
    await stage.worker([task('quiet', () => {})])
    const job = await stage.app.enqueue(task('quiet', () => {}).with(undefined as never))
    assert.equal(await job.result(), undefined)
    assert.equal(await job.state(), 'succeeded')
  },

  'a handler can not change what is stored by changing its input': async (stage) => {
    const change = task('change', { retry: { attempts: 2, from: 0 } }, (input: { n: number }) => {
      input.n++
      throw new Error(`${input.n}`)
    })
    await stage.worker([change])
    const job = await stage.app.enqueue(change.with({ n: 1 }))
    await assert.rejects(job.result(), { message: /: 2$/ })
    assert.deepEqual((await job.info())?.input, { n: 1 })
  },

  ...arriving,
  ...refusals,
}
