import assert from 'node:assert/strict'
import { connect } from '../../app.ts'
import type { EnqueueOptions } from '../../client/producer.ts'
import type { Signature } from '../../core/signature.ts'
import { task } from '../../core/task.ts'
import type { TaskFailedError } from '../../errors.ts'
import { add, door, inc, rejection } from './build.ts'
import type { Subject } from './stage.ts'

const wheel = task('wheel', { queue: 'task', priority: 2 }, (n: number) => n)

export const options: Subject = {
  'what a job is run by: the call before the signature, the task and the app': async (stage) => {
    const app = await stage.process({ queue: 'app', priority: 1 })
    const seen = async (job: { info(): Promise<{ queue: string; priority: number } | undefined> }) => {
      const { queue, priority } = (await job.info())!
      return [queue, priority]
    }
    const signature = wheel.with(1).options({ queue: 'signature', priority: 3 })
    assert.deepEqual(await seen(await stage.app.enqueue(inc.with(1))), ['default', 0])
    assert.deepEqual(await seen(await app.enqueue(inc.with(1))), ['app', 1])
    assert.deepEqual(await seen(await app.enqueue(wheel.with(1))), ['task', 2])
    assert.deepEqual(await seen(await app.enqueue(signature)), ['signature', 3])
    assert.deepEqual(await seen(await app.enqueue(signature, { queue: 'call', priority: 4 })), ['call', 4])
    assert.deepEqual(await seen(await app.enqueue(signature, { priority: 4 })), ['signature', 4])
    assert.deepEqual(await seen(await app.enqueue(signature.options({ priority: 5 }))), ['signature', 5])
  },

  'retry comes from the call, the signature, the task and the worker’s app, field by field': async (
    stage,
  ) => {
    const fails = (name: string, attempts?: number) =>
      task(name, attempts ? { retry: { attempts, from: 0 } } : {}, (): number => {
        throw new Error('no')
      })
    const bare = fails('bare')
    const own = fails('own', 2)
    const worker = await stage.process({ retry: { attempts: 5, from: 0 } })
    await stage.worker([bare, own], {}, worker)
    const attempts = async (signature: Signature<unknown>, call?: EnqueueOptions) => {
      const job = await stage.app.enqueue(signature, call)
      await assert.rejects(job.result())
      return (await job.info())?.attempt
    }
    assert.equal(await attempts(bare.with(null)), 5)
    assert.equal(await attempts(own.with(null)), 2)
    assert.equal(await attempts(own.with(null).options({ retry: 3 })), 3)
    assert.equal(await attempts(own.with(null).options({ retry: 3 }), { retry: { attempts: 4 } }), 4)
    assert.equal(await attempts(own.with(null).options({ retry: 3 }), { retry: { backoff: 'fixed' } }), 3)
  },

  'three attempts are made unless something else is said': async (stage) => {
    let runs = 0
    const fails = task('fails', () => {
      runs++
      throw new Error('no')
    })
    await stage.worker([fails])
    const job = await stage.app.enqueue(fails.with(null))
    for (const attempt of [2, 3]) {
      await stage.until('a retry', async () => (await job.info())?.attempt === attempt)
      await stage.advance(10_000)
    }
    await assert.rejects(job.result(), { attempts: 3 })
    assert.equal(runs, 3)
  },

  'timeout comes from the call, the signature, the task and the worker’s app': async (stage) => {
    const { through, open } = door()
    const bare = task('bare', () => through())
    const own = task('own', { timeout: 6 }, () => through())
    await stage.worker([bare, own], {}, await stage.process({ timeout: 5, retry: 1 }))
    const late = async (signature: Signature<unknown>, call?: EnqueueOptions) => {
      const error = (await rejection((await stage.app.enqueue(signature, call)).result())) as TaskFailedError
      assert.equal(error.code, 'TIMEOUT')
      return Number(/timeout of (\d+) ms/.exec(error.message)?.[1])
    }
    assert.equal(await late(bare.with(null)), 5)
    assert.equal(await late(own.with(null)), 6)
    assert.equal(await late(own.with(null).options({ timeout: 7 })), 7)
    assert.equal(await late(own.with(null).options({ timeout: 7 }), { timeout: '8ms' }), 8)
    const never = await stage.app.enqueue(own.with(null), { timeout: false })
    await stage.until('it to run', async () => (await never.state()) === 'active')
    open()
    assert.equal(await never.result(), undefined)
  },

  'an unknown option is refused wherever it is given, with the nearest known name': async ({
    app,
    backend,
  }) => {
    const wrong: readonly (readonly [() => unknown, RegExp])[] = [
      [() => task('a', { retrys: 3 } as never, () => 1), /no option "retrys". Did you mean "retry"\?/],
      [() => inc.with(1).options({ dealy: 1 } as never), /no option "dealy". Did you mean "delay"\?/],
      [() => connect(backend, { loger: false } as never), /no option "loger". Did you mean "logger"\?/],
      [() => app.worker({ tasks: [inc], concurency: 2 } as never), /Did you mean "concurrency"\?/],
      [() => app.enqueue(inc.with(1), { prioritty: 1 } as never), /Did you mean "priority"\?/],
      [() => app.enqueue(inc.with(1), { ID: 'x' } as never), /no option "ID". Did you mean "id"\?/],
      [() => app.enqueue([inc.with(1)], { prioritty: 1 } as never), /Did you mean "priority"\?/],
      [() => app.enqueue(inc.with(1), { retry: { atempts: 1 } } as never), /Did you mean "attempts"\?/],
      [() => app.enqueue(inc.with(1), { keep: { failure: 1 } } as never), /keep has no option "failure"/],
      [() => app.job('x').result({ timout: 1 } as never), /Did you mean "timeout"\?/],
      [() => app.flow('x').settled({ timout: 1 } as never), /Did you mean "timeout"\?/],
      [() => app.jobs({ sate: 'failed' } as never), /Did you mean "state"\?/],
      [() => app.enqueue(inc.with(1), { xyz: 1 } as never), /Known are: .*id/],
    ]
    for (const [call, message] of wrong) {
      await assert.rejects(async () => call(), { name: 'UsageError', code: 'UNKNOWN_OPTION', message })
    }
    assert.deepEqual((await app.jobs()).jobs, [])
  },

  'options that are no object are refused': async ({ app }) => {
    for (const options of [5, 'high', [], null, true] as never[]) {
      await assert.rejects(app.enqueue(inc.with(1), options), { code: 'INVALID_OPTION' })
      await assert.rejects(async () => app.job('x').result(options), { code: 'INVALID_OPTION' })
    }
    assert.deepEqual((await app.jobs()).jobs, [])
  },

  'a wrong value of an option is refused, with what was expected and what came': async ({ app, backend }) => {
    const wrong: readonly (readonly [() => unknown, RegExp])[] = [
      [() => app.worker({ tasks: [] }), /Expected tasks to be an array of tasks/],
      [() => app.worker({ tasks: [5 as never] }), /Expected tasks\[0\] to be/],
      [() => app.worker({ tasks: [inc.with(1) as never] }), /Expected tasks\[0\] to be/],
      [() => app.worker({ tasks: [(() => 1) as never] }), /Expected tasks\[0\] to be/],
      [() => app.worker({ tasks: [inc], concurrency: 0 }), /Expected concurrency to be/],
      [() => app.worker({ tasks: [inc], concurrency: 1.5 }), /Expected concurrency to be/],
      [() => app.worker({ tasks: [inc], queues: [] }), /Expected queues to be/],
      [() => app.worker({ tasks: [inc], queues: { a: 0 } }), /Expected queues\.a to be a weight above 0/],
      [() => app.worker({ tasks: [inc], queues: 'a' as never }), /Expected queues/],
      [() => app.worker({ tasks: [inc], queues: 5 as never }), /Expected queues/],
      [() => app.worker({ tasks: [inc], grace: 'soon' }), /Expected grace to be a duration/],
      [() => app.worker({ tasks: [inc], lease: 10 }), /Expected lease to be/],
      [() => app.worker({ tasks: [inc], lease: '90d' }), /Expected lease to be/],
      [() => app.worker({ tasks: [inc], use: [5 as never] }), /Expected use to be/],
      [() => app.worker({ tasks: [inc], use: 5 as never }), /Expected use to be/],
      [() => app.worker({ tasks: [inc], logger: {} as never }), /Expected logger to be/],
      [() => connect(backend, { logger: {} as never }), /Expected logger to be/],
      [() => connect(backend, { payloadLimit: 1 }), /Expected payloadLimit to be/],
      [() => connect(backend, { enqueueTimeout: 'x' }), /Expected enqueueTimeout to be/],
      [() => connect(backend, { retry: 0 }), /Expected retry to be/],
      [() => app.jobs({ limit: 0 }), /Expected limit to be/],
      [() => app.jobs({ state: 'done' as never }), /Expected state to be one of/],
      [() => app.job('x').result({ timeout: 'soon' }), /Expected timeout to be a duration/],
      [() => app.enqueue(add.with({ x: 1, y: 1 }), { at: 'now' as never }), /Expected at to be/],
      [() => app.enqueue('add' as never), /Expected what is enqueued to be a task, signature or flow/],
      [() => app.enqueue(undefined as never), /Expected what is enqueued to be/],
    ]
    for (const [call, message] of wrong) {
      await assert.rejects(async () => call(), { name: 'UsageError', code: 'INVALID_OPTION', message })
    }
  },

  'a worker takes tasks with handlers, each name once': async ({ app }) => {
    assert.throws(() => app.worker({ tasks: [task('a', {}) as never] }), {
      name: 'UsageError',
      code: 'NO_HANDLER',
      message: /"a".*\.handle\(fn\)/,
    })
    assert.throws(() => app.worker({ tasks: [inc, task('inc', () => 1)] }), {
      name: 'UsageError',
      code: 'DUPLICATE_TASK',
    })
  },

  'a URL that names no backend is refused, without its password': async () => {
    for (const url of ['', 'nonsense', 'http://x', 'constructor:', 'toString:x', './millrace.db', 'sqlite']) {
      assert.throws(() => connect(url), {
        name: 'UsageError',
        code: 'BAD_URL',
        message: /sqlite:\.\/millrace\.db/,
      })
    }
    assert.throws(
      () => connect('mongo://me:hunter2@host'),
      (error: Error) => !error.message.includes('hunter2'),
    )
    for (const where of [5, {}, [], () => 1] as never[]) {
      assert.throws(() => connect(where), { name: 'UsageError', code: 'BAD_URL' })
    }
  },
}
