import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { door, inc, rejection } from './build.ts'
import type { Subject } from './stage.ts'

export const closing: Subject = {
  'close() ends all waits and iterations, and the jobs stay': async (stage) => {
    const app = await stage.process()
    const job = await app.enqueue(inc.with(1))
    const flow = app.flow(job.id)
    const waiting = [job.result(), app.job(job.id).result(), flow.settled()].map(rejection)
    const following = (async () => {
      for await (const _ of job.progress) assert.fail('Expected no progress.')
    })()
    await app.close()
    for (const error of await Promise.all(waiting)) {
      assert.equal((error as { code?: string }).code, 'ABORTED')
      assert.match((error as Error).message, /app was closed/)
    }
    await following
    assert.equal(await stage.app.job(job.id).state(), 'waiting')
  },

  'a closed app refuses every call at once': async (stage) => {
    const app = await stage.process()
    const job = await app.enqueue(inc.with(1))
    await app.close()
    for (const call of [() => app.enqueue(inc.with(1)), async () => app.worker({ tasks: [inc] })]) {
      await assert.rejects(call, { name: 'UsageError', code: 'CLOSED' })
    }
    const calls: (() => Promise<unknown>)[] = [
      () => job.state(),
      () => job.result(),
      () => job.info(),
      () => job.cancel(),
      () => job.retry(),
      () => app.flow(job.id).settled(),
      () => app.jobs(),
      () => app.queues(),
      () => app.diagnose(),
      async () => {
        for await (const _ of job.progress) assert.fail('Expected no progress.')
      },
    ]
    for (const call of calls) await assert.rejects(call, { name: 'BackendError', code: 'BACKEND_CLOSED' })
    const { ready, backend } = await app.health()
    assert.deepEqual([ready, backend.ok], [false, false])
    assert.equal(await stage.app.job(job.id).state(), 'waiting')
  },

  'close() stops the workers of the app, which finish what they run': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', async () => {
      await through()
      return 'done'
    })
    const app = await stage.process()
    const worker = await stage.worker([slow], { grace: '10s' }, app)
    const job = await stage.app.enqueue(slow.with(null))
    await reached()
    const closed = app.close()
    open()
    await closed
    await worker.ended
    assert.equal(worker.health().state, 'stopped')
    assert.equal(await job.result(), 'done')
  },

  'close() twice is the same closing, and `await using` closes': async (stage) => {
    const app = await stage.process()
    await Promise.all([app.close(), app.close()])
    await app.close()
    const other = await stage.process()
    {
      await using inner = other
      await inner.enqueue(inc.with(1))
    }
    await assert.rejects(other.enqueue(inc.with(1)), { code: 'CLOSED' })
  },

  'a call that is under way at close() is accepted and kept, or is rejected': async (stage) => {
    const app = await stage.process()
    const calls = Array.from({ length: 100 }, (_, i) => app.enqueue(inc.with(i), { id: `job-${i}` }))
    const [settled] = await Promise.all([Promise.allSettled(calls), app.close()])
    for (const [i, each] of settled.entries()) {
      const accepted = each.status === 'fulfilled'
      if (!accepted) assert.ok(['CLOSED', 'BACKEND_CLOSED'].includes(each.reason.code), each.reason)
      assert.equal(await stage.app.job(`job-${i}`).state(), accepted ? 'waiting' : 'unknown')
    }
  },
}
