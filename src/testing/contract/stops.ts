import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { deferred, door, inc } from './build.ts'
import type { Subject } from './stage.ts'

export const stops: Subject = {
  'a stopping worker takes no more, and finishes what runs within its grace': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', async () => {
      await through()
      return 'done'
    })
    const worker = await stage.worker([slow], { concurrency: 2, grace: '20s' })
    const jobs = await stage.app.enqueue([slow.with(null), slow.with(null), slow.with(null)])
    await reached(2)
    const stopped = worker.stop()
    assert.equal(worker.health().state, 'stopping')
    open()
    await stopped
    await worker.ended
    assert.equal(worker.health().state, 'stopped')
    const states = await Promise.all(jobs.map((job) => job.state()))
    assert.deepEqual(states, ['succeeded', 'succeeded', 'waiting'])
    assert.deepEqual(await stage.app.workers(), [])
  },

  'what has not ended within the grace is handed back, uncounted, and its signal aborts': async (stage) => {
    const { through, reached } = door()
    const reasons: string[] = []
    const attempts: number[] = []
    const slow = task('slow', async (stay: boolean, { signal, attempt }) => {
      attempts.push(attempt)
      signal.addEventListener('abort', () => reasons.push((signal.reason as Error).message))
      if (stay) await through()
      return attempt
    })
    const worker = await stage.worker([slow], { grace: 20 })
    const job = await stage.app.enqueue(slow.with(true))
    await reached()
    await worker.stop()
    assert.match(reasons[0]!, /stopping/)
    assert.equal(await job.state(), 'waiting')
    const info = (await job.info())!
    assert.deepEqual([info.attempt, info.crashes, info.attempts], [1, 0, []])
    const quick = task('slow', (_: boolean, { attempt }) => attempt)
    await stage.worker([quick])
    assert.equal(await job.result(), 1)
    assert.deepEqual(attempts, [1])
  },

  'what is handed back is first in line again': async (stage) => {
    const { through, reached } = door()
    const ran: number[] = []
    const slow = task('slow', () => through())
    const worker = await stage.worker([slow], { concurrency: 2 })
    const jobs = await stage.app.enqueue([1, 2, 3, 4].map((n) => slow.with(n)))
    await reached(2)
    await worker.stop({ grace: 0 })
    const quick = task('slow', (n: number) => void ran.push(n))
    await stage.worker([quick], { concurrency: 1 })
    await Promise.all(jobs.map((job) => job.result()))
    assert.deepEqual(ran, [1, 2, 3, 4])
  },

  'what a handler does after its job was handed back has no effect': async (stage) => {
    const { through, reached, open } = door()
    const { promise: over, resolve: end } = deferred()
    const slow = task('slow', async () => {
      await through()
      end()
      return 'late'
    })
    const worker = await stage.worker([slow])
    const job = await stage.app.enqueue(slow.with(null))
    await reached()
    await worker.stop({ grace: 0 })
    open()
    await over
    assert.equal(await job.state(), 'waiting')
  },

  'a second stop with less grace cuts the first short': async (stage) => {
    const { through, reached } = door()
    const slow = task('slow', () => through())
    const worker = await stage.worker([slow], { grace: '20s' })
    const job = await stage.app.enqueue(slow.with(null))
    await reached()
    const first = worker.stop()
    await worker.stop({ grace: 0 })
    await first
    assert.equal(await job.state(), 'waiting')
  },

  'a worker that was stopped before it ran does not run': async (stage) => {
    const worker = stage.app.worker({ tasks: [inc], signals: false })
    assert.equal(worker.health().state, 'idle')
    await worker.stop()
    await worker.run()
    const job = await stage.app.enqueue(inc.with(1))
    assert.equal(await job.state(), 'waiting')
    assert.equal(worker.health().state, 'stopped')
  },

  'a worker that is stopped while it starts stops': async (stage) => {
    const { promise: late, resolve } = deferred()
    const home = await stage.process({}, ({ verb }) => (verb === 'consume' ? { delay: late } : undefined))
    const worker = home.worker({ tasks: [inc], signals: false })
    const running = worker.run()
    assert.equal(worker.health().state, 'starting')
    const stopped = worker.stop()
    resolve()
    await Promise.all([running, stopped])
    assert.equal(worker.health().state, 'stopped')
  },

  'run() twice is the same run': async (stage) => {
    const worker = stage.app.worker({ tasks: [inc], signals: false })
    const runs = [worker.run(), worker.run()]
    assert.equal(await (await stage.app.enqueue(inc.with(1))).result(), 2)
    await worker.stop()
    await Promise.all(runs)
    await worker.run()
  },
}
