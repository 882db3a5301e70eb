import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { BackendError } from '../../errors.ts'
import { door, fail, inc, rejection } from './build.ts'
import type { Subject } from './stage.ts'

export const inspect: Subject = {
  'jobs() lists the newest first, in pages that don’t shift': async ({ app }) => {
    const jobs = await app.enqueue(Array.from({ length: 25 }, (_, i) => inc.with(i)))
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await app.jobs({ limit: 10, ...(cursor && { cursor }) })
      seen.push(...page.jobs.map(({ id }) => id))
      cursor = page.cursor
      await app.enqueue(inc.with(100))
    } while (cursor)
    assert.deepEqual(seen, jobs.map(({ id }) => id).reverse())
    assert.equal((await app.jobs()).jobs.length, 28)
  },

  'jobs() admits by state, task and queue': async (stage) => {
    await stage.worker([fail])
    const [bad] = await stage.app.enqueue([fail.with('no')])
    await rejection(bad.result())
    const other = await stage.app.enqueue(inc.with(1), { queue: 'other' })
    const later = await stage.app.enqueue(inc.with(2), { delay: '1h' })
    const ids = async (filter: object) => (await stage.app.jobs(filter)).jobs.map(({ id }) => id)
    assert.deepEqual(await ids({ state: 'failed' }), [bad.id])
    assert.deepEqual(await ids({ task: 'inc' }), [later.id, other.id])
    assert.deepEqual(await ids({ queue: 'other' }), [other.id])
    assert.deepEqual(await ids({ task: 'inc', state: 'scheduled', queue: 'default' }), [later.id])
    assert.deepEqual(await ids({ task: 'nobody' }), [])
    assert.deepEqual(await ids({ task: "x' OR 1=1 --", queue: '%' }), [])
  },

  'queues() counts jobs by state': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', () => through())
    await stage.app.enqueue([slow.with(1), slow.with(2), slow.with(3)])
    await stage.app.enqueue(inc.with(1), { queue: 'another', delay: '1h' })
    await stage.worker([slow], { concurrency: 1 })
    await reached()
    assert.deepEqual(await stage.app.queues(), [
      { name: 'another', counts: { scheduled: 1 } },
      { name: 'default', counts: { waiting: 2, active: 1 } },
    ])
    open()
  },

  'workers() tells of those that are alive, in all processes': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', () => through())
    assert.deepEqual(await stage.app.workers(), [])
    const [a, b] = [await stage.worker([slow], { queues: ['a', 'b'] }), await stage.worker([slow])]
    await stage.app.enqueue(slow.with(null), { queue: 'b' })
    await reached()
    await stage.until('both to be there', async () => (await stage.app.workers()).length === 2)
    const found = new Map((await stage.app.workers()).map((worker) => [worker.id, worker]))
    assert.deepEqual([...(found.get(a.id)?.queues ?? [])].sort(), ['a', 'b'])
    assert.deepEqual([found.get(a.id)?.active, found.get(b.id)?.active], [1, 0])
    assert.ok(found.get(a.id)!.expires > new Date())
    open()
    await a.stop()
    await stage.until('one to be gone', async () => (await stage.app.workers()).length === 1)
  },

  'health() is ready while the backend answers and every worker of the app runs': async (stage) => {
    const trouble = { now: false }
    const error = new BackendError('BACKEND_UNAVAILABLE', 'no connection', { retryable: true })
    const app = await stage.process({}, ({ verb }) =>
      verb === 'records' && trouble.now ? { fail: error } : undefined,
    )
    assert.deepEqual(await app.health(), { ready: true, backend: { ok: true }, workers: [] })
    const worker = await stage.worker([inc], { concurrency: 4 }, app)
    await stage.until('the worker to run', () => worker.health().heartbeatAge !== undefined)
    const { heartbeatAge, ...rest } = (await app.health()).workers[0]!
    assert.deepEqual(rest, { id: worker.id, state: 'running', running: 0, concurrency: 4 })
    assert.ok(heartbeatAge! >= 0)
    trouble.now = true
    assert.deepEqual((await app.health()).backend, { ok: false, error: 'no connection' })
    assert.equal((await app.health()).ready, false)
    trouble.now = false
    await worker.stop()
    const { ready, workers } = await app.health()
    assert.deepEqual([ready, workers[0]?.state], [false, 'stopped'])
  },

  'diagnose() tells versions, clock and settings': async ({ app, advance }) => {
    const { backend, versions, clockSkew, warnings } = await app.diagnose()
    assert.ok(backend.length > 0 && Object.keys(versions).length > 0 && Array.isArray(warnings))
    assert.ok(Math.abs(clockSkew) < 5000)
    await advance(3_600_000)
    assert.ok(Math.abs((await app.diagnose()).clockSkew - 3_600_000) < 5000)
  },
}
