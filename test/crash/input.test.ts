import { randomBytes } from 'node:crypto'
import { chain, task } from 'millrace'
import { describe, expect, test } from 'vitest'
import { openBackend } from '../../scripts/chaos/tap.mjs'
import { tasksOf } from './fixtures/tasks.mjs'
import { backends, openStage, until } from './stage.ts'

const { echo, odd, polluted, quick, strict } = tasksOf()

describe.each(backends)('an input, from process to process, on %s', (backend) => {
  test('arrives as what it was', async () => {
    await using stage = await openStage(backend)
    await stage.worker('first')
    const value = {
      none: undefined,
      nothing: null,
      big: 2n ** 70n,
      zero: -0,
      date: new Date(1234567890123),
      map: new Map<unknown, unknown>([
        ['a', new Set([1, 'b'])],
        [{ k: 1 }, undefined],
      ]),
      bytes: new Uint8Array([0, 255, 10]),
      text: 'é \u0000 \u2028 \ud800 \u001b[31m 🦊',
      list: [1, [undefined], { $: ['date', 'no'] }],
    }
    expect(await (await stage.app.enqueue(echo.with(value))).result()).toEqual(value)
  })

  test('that would not is refused at the call, by its path, and nothing is enqueued', async () => {
    await using stage = await openStage(backend)
    const cycle: { inner: { back?: unknown } } = { inner: {} }
    cycle.inner.back = cycle
    const refused: [unknown, string][] = [
      [{ a: [0, { f: () => 1 }] }, 'input.a[1].f'],
      [{ n: { x: Number.NaN } }, 'input.n.x'],
      [[Number.POSITIVE_INFINITY], 'input[0]'],
      [{ s: Symbol('s') }, 'input.s'],
      [cycle, 'input.inner.back'],
      [{ when: new Date(Number.NaN) }, 'input.when'],
      [{ of: new (class Money {})() }, 'input.of'],
      [JSON.parse('{"a":{"__proto__":{"polluted":1}}}'), 'input.a'],
    ]
    for (const [value, path] of refused) {
      const call = Promise.resolve().then(() => stage.app.enqueue(echo.with(value)))
      await expect(call).rejects.toMatchObject({ name: 'UsageError', code: 'UNSERIALISABLE' })
      await expect(call).rejects.toMatchObject({ path: expect.stringContaining(path) })
      await expect(call).rejects.toThrow(path)
    }
    // Nor is the good half of a batch, or of a flow.
    await expect(async () =>
      stage.app.enqueue([echo.with(1), echo.with({ f: () => 1 })]),
    ).rejects.toMatchObject({ code: 'UNSERIALISABLE' })
    await expect(async () =>
      stage.app.enqueue(chain(echo.with(1), echo.with({ f: () => 1 }).detached())),
    ).rejects.toMatchObject({ code: 'UNSERIALISABLE' })
    expect(await stage.app.queues()).toEqual([])
  })

  test('that a handler gives back and that would not survive fails its job, once', async () => {
    await using stage = await openStage(backend)
    await stage.worker('first')
    const job = await stage.app.enqueue(odd.with({ what: 'function' }), { retry: 5 })
    await expect(job.result()).rejects.toMatchObject({ code: 'UNSERIALISABLE', attempts: 1 })
    await expect(job.result()).rejects.toThrow('output.f')
  })

  test('over the limit is refused at the call', async () => {
    await using stage = await openStage(backend)
    const call = stage.app.enqueue(echo.with('x'.repeat(10_000_000)))
    await expect(call).rejects.toMatchObject({ name: 'UsageError', code: 'PAYLOAD_TOO_LARGE' })
    await expect(call).rejects.toThrow('1000000')
    expect(await stage.app.queues()).toEqual([])
  })

  test('of 10 MB comes back byte for byte when the limit allows it', async () => {
    await using stage = await openStage(backend, { payloadLimit: 11_000_000 })
    const worker = await stage.worker('first')
    const text = randomBytes(5_000_000).toString('hex')
    const job = await stage.app.enqueue(echo.with(text))
    expect((await job.result()) === text).toBe(true)
    worker.signal('SIGTERM')
    expect(await worker.exited()).toBe(0)
  })
})

describe.each(backends)('an input of the wrong type, on %s', (backend) => {
  test('is refused at the call, with its path', async () => {
    await using stage = await openStage(backend)
    const call = Promise.resolve().then(() =>
      stage.app.enqueue(strict.with({ size: { width: '3' as never } })),
    )
    await expect(call).rejects.toMatchObject({ code: 'INVALID_INPUT', path: 'input.size.width' })
    expect(await stage.app.queues()).toEqual([])
  })

  test('is refused again at the worker, for good, before its handler', async () => {
    await using stage = await openStage(backend)
    await stage.worker('first')
    const unchecked = task('strict', {})
    const job = await stage.app.enqueue(unchecked.with({ size: { width: '3' } }))
    await expect(job.result()).rejects.toMatchObject({ code: 'INVALID_INPUT', attempts: 1 })
    await expect(job.result()).rejects.toThrow('input.size.width')
    expect(stage.journal().filter(({ did }) => did === 'run')).toEqual([])
  })
})

describe.each(backends)('a hostile input, on %s', (backend) => {
  test('pollutes nobody', async () => {
    await using stage = await openStage(backend)
    await stage.worker('first')
    const { app } = stage
    const own = JSON.parse('{"constructor":{"prototype":{"polluted":1}},"toString":"x"}')
    expect(await (await app.enqueue(echo.with(own))).result()).toEqual(own)
    const headers = { constructor: 'a', toString: 'b', hasOwnProperty: 'c' }
    const job = await app.enqueue(polluted.with({}), { headers })
    expect(await job.result()).toEqual({ polluted: 'no', headers })
    expect((await job.info())?.headers).toEqual(headers)
    await expect(async () =>
      app.enqueue(polluted.with({}), { headers: JSON.parse('{"__proto__":"a"}') }),
    ).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(async () =>
      app.enqueue(polluted.with({}), JSON.parse('{"__proto__":{"delay":1}}')),
    ).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' })
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('that was put into the queue by another hand neither runs nor stops the worker', async () => {
    await using stage = await openStage(backend)
    const raw = await openBackend(stage.place.url)
    const bodies = [
      '1[{"__proto__":{"polluted":1}}]',
      '1[{"a":1},{"__proto__":{"polluted":1},"headers":{"__proto__":{"polluted":1}}}]',
      '1{"not":"a list"}',
      '1[',
      '9[{}]',
      '',
      '\u0000\u0001\u0002',
    ]
    await raw.submit(
      bodies.map((body, i) => ({
        jobs: [
          {
            id: `raw-${i}`,
            task: 'polluted',
            queue: 'default',
            body,
            priority: 0,
            keep: { succeeded: 1e6, failed: 1e6 },
          },
        ],
      })),
    )
    const worker = await stage.worker('first', { unknownTaskAfter: 500 })
    for (const i of bodies.keys()) {
      const job = stage.app.job(`raw-${i}`)
      await until(async () => ['succeeded', 'failed'].includes(await job.state()), `raw-${i} ends`)
      const info = await job.info()
      if (info?.state === 'succeeded') expect(info.result).toMatchObject({ polluted: 'no' })
      else expect(info?.error?.code).toMatch(/^(UNKNOWN_FORMAT|INVALID_INPUT)$/)
    }
    const sound = await stage.app.enqueue(polluted.with({}))
    expect(await sound.result()).toMatchObject({ polluted: 'no' })
    worker.signal('SIGTERM')
    expect(await worker.exited()).toBe(0)
    await raw[Symbol.asyncDispose]()
  })

  test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    '%s is the name of no task',
    async (name) => {
      await using stage = await openStage(backend)
      await stage.worker('first', { unknownTaskAfter: 500 })
      const job = await stage.app.enqueue(task(name, {}).with({}))
      await expect(job.result()).rejects.toMatchObject({ code: 'UNKNOWN_TASK' })
      const next = await stage.app.enqueue(quick.with({}))
      await next.result()
    },
  )
})
