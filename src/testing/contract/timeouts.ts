import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { deferred, inc } from './build.ts'
import type { Subject } from './stage.ts'

export const timeouts: Subject = {
  'a timeout aborts the signal, counts as a failure, and frees the place': async (stage) => {
    const reasons: string[] = []
    const slow = task('slow', { timeout: 15, retry: { attempts: 2, from: 0 } }, (_, { signal }) => {
      signal.addEventListener('abort', () => reasons.push((signal.reason as Error).name))
      return new Promise<never>(() => {})
    })
    await stage.worker([slow, inc], { concurrency: 1 })
    const job = await stage.app.enqueue(slow.with(null))
    const next = await stage.app.enqueue(inc.with(1))
    await assert.rejects(job.result(), {
      code: 'TIMEOUT',
      attempts: 2,
      errorName: 'TimeoutError',
      message: /timeout of 15 ms/,
    })
    assert.deepEqual(reasons, ['TimeoutError', 'TimeoutError'])
    assert.equal(await next.result(), 2)
  },

  'what a handler does after its timeout has no effect': async (stage) => {
    const { promise, resolve } = deferred()
    const { promise: done, resolve: finish } = deferred()
    const slow = task('slow', { timeout: 10, retry: 1 }, async (_, { progress }) => {
      await promise
      progress(100)
      finish()
      return 'too late'
    })
    await stage.worker([slow])
    const job = await stage.app.enqueue(slow.with(null))
    await assert.rejects(job.result(), { code: 'TIMEOUT' })
    resolve()
    await done
    await stage.sweep()
    const { state, progress, result } = (await job.info())!
    assert.deepEqual({ state, progress, result }, { state: 'failed', progress: undefined, result: undefined })
  },

  'a handler whose input took longer to check than the timeout is not run': async (stage) => {
    const { promise, resolve } = deferred()
    let ran = false
    const patient = {
      '~standard': { version: 1, vendor: 'millrace', validate: () => promise.then(pass) },
    } as const
    const pass = () => ({ value: 1 })
    const slow = task('slow', { input: patient, timeout: 10, retry: 1 }, () => {
      ran = true
    })
    await stage.worker([slow, inc])
    const job = await stage.app.enqueue(task<null, void>('slow', () => {}).with(null))
    await assert.rejects(job.result(), { code: 'TIMEOUT' })
    resolve()
    assert.equal(await (await stage.app.enqueue(inc.with(1))).result(), 2)
    assert.equal(ran, false)
  },
}
