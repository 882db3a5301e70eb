import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { SECOND } from '../conformance/build.ts'
import { deferred, door, inc } from './build.ts'
import { cutOff } from './outage.ts'
import type { Subject } from './stage.ts'

export const losses: Subject = {
  'a worker that starts before its backend can be reached waits for it': async (stage) => {
    const error = Object.assign(new Error('no connection'), { retryable: true })
    const home = await stage.process({}, ({ verb, nth }) =>
      verb === 'consume' && nth < 3 ? { fail: error } : undefined,
    )
    await stage.worker([inc], {}, home)
    assert.equal(await (await stage.app.enqueue(inc.with(1))).result(), 2)
    const line = stage.logs.find(({ message }) => message === 'backend error')!
    assert.equal((line.fields.error as Error).message, 'no connection')
  },

  'run() rejects when the backend can not be used at all': async (stage) => {
    const error = Object.assign(new Error('the file is damaged'), { retryable: false })
    const home = await stage.process({}, ({ verb }) => (verb === 'consume' ? { fail: error } : undefined))
    const worker = await stage.worker([inc], {}, home)
    await assert.rejects(worker.ended, { message: 'the file is damaged' })
    assert.equal(worker.health().state, 'stopped')
    await worker.stop()
  },

  'a worker lives through trouble with the backend, and no job is lost or run twice': async (stage) => {
    const error = Object.assign(new Error('cut'), { retryable: true })
    const home = await stage.process({}, ({ verb, nth }) => {
      if (verb === 'take' && nth % 3 === 0) return { fail: error }
      if (verb === 'finish' && nth % 3 === 1) return nth % 2 ? { lose: error } : { fail: error }
      return verb === 'renew' && nth % 2 ? { fail: error } : undefined
    })
    const ran: number[] = []
    const note = task('note', (n: number) => void ran.push(n))
    await stage.worker([note], { concurrency: 3 }, home)
    const jobs = await stage.app.enqueue(Array.from({ length: 12 }, (_, i) => note.with(i)))
    await Promise.all(jobs.map((job) => job.result()))
    assert.deepEqual(
      ran.sort((a, b) => a - b),
      Array.from({ length: 12 }, (_, i) => i),
    )
  },

  'a worker that was lost is replaced: its jobs run elsewhere, and its late finish is refused': async (
    stage,
  ) => {
    const { through, reached, open } = door()
    const outage = await cutOff(stage)
    const slow = task('slow', async () => {
      await through()
      return 'late'
    })
    await stage.worker([slow], { lease: '15s', concurrency: 1 }, outage.app)
    const job = await stage.app.enqueue(slow.with(null))
    await reached()
    outage.begin()
    await stage.advance(15 * SECOND + 1)
    assert.equal(await job.state(), 'waiting')
    const { crashes, attempt, attempts } = (await job.info())!
    assert.deepEqual([crashes, attempt, attempts[0]?.error?.code], [1, 1, 'WORKER_LOST'])
    await stage.worker([task('slow', () => 'elsewhere')])
    assert.equal(await job.result(), 'elsewhere')
    open()
    outage.end()
    await stage.until('the late finish to be refused', () =>
      stage.logs.some(({ message }) => /late finish refused/.test(message)),
    )
    assert.equal(await job.result(), 'elsewhere')
    assert.equal((await job.info())?.result, 'elsewhere')
  },

  'a worker that has lost a job tells its handler': async (stage) => {
    const { through, reached, open } = door()
    const { promise: told, resolve } = deferred<Error>()
    const outage = await cutOff(stage)
    const slow = task('slow', async (_, { signal, progress }) => {
      signal.addEventListener('abort', () => resolve(signal.reason as Error))
      await through()
      progress(50)
      await new Promise<never>(() => {})
    })
    const worker = await stage.worker([slow, inc], { lease: '15s', concurrency: 1 }, outage.app)
    const job = await stage.app.enqueue(slow.with(null))
    await reached()
    outage.begin()
    await stage.advance(15 * SECOND + 1)
    await job.cancel()
    outage.end()
    // Whatever makes it renew its lease, here a report, it finds then that it has lost the job.
    open()
    assert.match((await told).message, /lost its lease/)
    assert.equal(worker.health().running, 0)
    assert.equal(stage.logs.find(({ message }) => message === 'lease lost')?.fields.count, 1)
    assert.equal(await job.state(), 'cancelled')
    assert.equal(await (await stage.app.enqueue(inc.with(1))).result(), 2)
  },

  'a job that loses its third worker fails as WORKER_LOST': async (stage) => {
    const never = task('never', () => new Promise<never>(() => {}))
    const job = await stage.app.enqueue(never.with(null))
    const outages: { end(): void }[] = []
    for (let lost = 1; lost <= 3; lost++) {
      const outage = await cutOff(stage)
      await stage.worker([never], { lease: '15s', concurrency: 1 }, outage.app)
      await stage.until('it to be taken', async () => (await job.state()) === 'active')
      outage.begin()
      await stage.advance(15 * SECOND + 1)
      assert.equal((await job.info())?.crashes, lost)
      outages.push(outage)
    }
    for (const outage of outages) outage.end()
    await assert.rejects(job.result(), { code: 'WORKER_LOST', attempts: 1, message: /its worker was lost/ })
  },
}
