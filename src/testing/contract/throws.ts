import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { task } from '../../core/task.ts'
import type { TaskFailedError } from '../../errors.ts'
import { inc, rejection } from './build.ts'
import type { Subject } from './stage.ts'

/** What a handler may throw, and what is told of it. */
const thrown: readonly (readonly [what: string, value: () => unknown, message: RegExp])[] = [
  ['null', () => null, /threw null$/],
  ['undefined', () => undefined, /threw undefined$/],
  ['a text', () => 'out of paper', /threw "out of paper"$/],
  ['an empty text', () => '', /threw ""$/],
  ['a number', () => 404, /threw 404$/],
  ['a bigint', () => 1n, /threw 1/],
  ['a symbol', () => Symbol('s'), /threw Symbol\(s\)$/],
  ['a function', () => () => 1, /threw /],
  ['an object', () => ({ status: 404 }), /threw \{"status":404\}$/],
  ['an object that JSON does not take', () => ({ n: 1n }), /threw /],
  ['an object with a getter that throws', () => Object.defineProperty({}, 'x', bomb), /threw /],
  [
    'a proxy that throws on everything',
    () => new Proxy({}, { get: explode, getPrototypeOf: explode }),
    /threw/,
  ],
  ['an error whose message throws', () => Object.defineProperty(new Error('x'), 'message', bomb), /threw/],
  ['an error without a stack', () => Object.assign(new Error('bare'), { stack: undefined }), /bare$/],
  ['an error with a message of a megabyte', () => new Error('x'.repeat(1e6)), /x{8000}/],
  ['an error that is its own cause', () => circular(), /circular$/],
  ['an AggregateError', () => new AggregateError([new Error('a')], 'all of them'), /all of them$/],
  ['an abort', () => AbortSignal.abort().reason, /aborted/],
]

const explode = () => {
  throw new Error('do not touch')
}
const bomb = { get: explode, enumerable: true }

function circular(): Error {
  const error = new Error('circular')
  error.cause = error
  return error
}

const odd = Object.fromEntries(
  thrown.flatMap(([what, value, message]) =>
    (['throws', 'rejects with'] as const).map((how) => [
      `a handler that ${how} ${what} is a recorded failure`,
      async (stage) => {
        const bad = task('bad', { retry: { attempts: 2, from: 0 } }, () => {
          const error = value()
          if (how === 'throws') throw error
          return Promise.reject(error)
        })
        await stage.worker([bad, inc], { concurrency: 1 })
        const [job, next] = await stage.app.enqueue([bad.with(null), inc.with(1)])
        const error = (await rejection(job.result())) as TaskFailedError
        assert.deepEqual([error.code, error.attempts, error.task], ['TASK_FAILED', 2, 'bad'])
        assert.match(error.message, message)
        assert.ok(error.message.length < 10_000)
        assert.equal(await next.result(), 2)
        assert.equal((await job.info())?.attempts.length, 1)
      },
    ]),
  ),
) satisfies Subject

export const throws: Subject = {
  ...odd,

  'a handler that never settles is ended by its timeout, and its place is free again': async (stage) => {
    const never = task('never', { timeout: 10, retry: 1 }, () => new Promise<never>(() => {}))
    const worker = await stage.worker([never, inc], { concurrency: 1 })
    const jobs = await stage.app.enqueue([never.with(null), inc.with(1), never.with(null), inc.with(2)])
    const settled = await Promise.allSettled(jobs.map((job) => job.result()))
    assert.deepEqual(
      settled.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.code)),
      ['TIMEOUT', 2, 'TIMEOUT', 3],
    )
    assert.equal(worker.health().running, 0)
  },

  'a handler that returns a thenable that settles twice has ended once': async (stage) => {
    const twice = task('twice', (): PromiseLike<number> => {
      const settle = (good?: ((n: number) => unknown) | null, bad?: ((error: unknown) => unknown) | null) => {
        good?.(1)
        good?.(2)
        bad?.(new Error('no'))
      }
      // biome-ignore lint/suspicious/noThenProperty: the subject
      return { then: settle } as PromiseLike<number>
    })
    await stage.worker([twice])
    const job = await stage.app.enqueue(twice.with(null))
    assert.equal(await job.result(), 1)
    await setImmediate()
    assert.equal(await job.state(), 'succeeded')
  },

  'a handler that returns a thenable that throws is a recorded failure': async (stage) => {
    const bad = task('bad', { retry: 1 }, (): unknown => Object.defineProperty({}, 'then', bomb))
    await stage.worker([bad])
    await assert.rejects((await stage.app.enqueue(bad.with(null))).result(), {
      code: 'TASK_FAILED',
      message: /do not touch/,
    })
  },

  'a logger that throws costs no job': async (stage) => {
    const logger = { debug: explode, info: explode, warn: explode, error: explode }
    const app = await stage.process({ logger })
    const flaky = task('flaky', { retry: { attempts: 2, from: 0 } }, (n: number, { attempt, log }) => {
      if (n === 2) log.info({}, 'hello')
      if (attempt === 1) throw new Error('once')
      if (n === 1) throw new Error('for good')
      return n
    })
    const worker = await stage.worker([flaky, inc], { concurrency: 2 }, app)
    const jobs = await stage.app.enqueue([flaky.with(0), flaky.with(1), flaky.with(2), inc.with(3)])
    const settled = await Promise.allSettled(jobs.map((job) => job.result()))
    assert.deepEqual(
      settled.map((each) => (each.status === 'fulfilled' ? each.value : each.reason.code)),
      [0, 'TASK_FAILED', 2, 4],
    )
    await worker.stop()
    await worker.ended
  },
}
