import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { task } from '../../core/task.ts'
import { SECOND } from '../conformance/build.ts'
import { deferred, door, inc, rejection } from './build.ts'
import { cutOff } from './outage.ts'
import type { Subject } from './stage.ts'

export const workers: Subject = {
  'never more jobs run at once than the concurrency says, and as many do': async (stage) => {
    const { through, reached, open } = door()
    let running = 0
    let most = 0
    const busy = task('busy', async () => {
      most = Math.max(most, ++running)
      await through()
      await setImmediate()
      running--
    })
    const jobs = await stage.app.enqueue(Array.from({ length: 40 }, () => busy.with(null)))
    const worker = await stage.worker([busy], { concurrency: 7 })
    await reached(7)
    assert.equal(worker.health().running, 7)
    assert.equal(most, 7)
    open()
    await Promise.all(jobs.map((job) => job.result()))
    assert.equal(most, 7)
  },

  'a place is free when the handler ends, not when its end is written': async (stage) => {
    const { promise: late, resolve } = deferred()
    const home = await stage.process({}, ({ verb, nth }) =>
      verb === 'finish' && nth === 1 ? { delay: late } : undefined,
    )
    const ran: number[] = []
    const note = task('note', (n: number) => void ran.push(n))
    await stage.worker([note], { concurrency: 1 }, home)
    const [first, second] = await stage.app.enqueue([note.with(1), note.with(2)])
    await stage.until('the second to run', () => ran.length === 2)
    assert.deepEqual([await first.state(), await second.state()], ['active', 'active'])
    resolve()
    await Promise.all([first.result(), second.result()])
  },

  'what is not written yet is bounded: at most twice the concurrency is unfinished': async (stage) => {
    const { promise: late, resolve } = deferred()
    const home = await stage.process({}, ({ verb }) => (verb === 'finish' ? { delay: late } : undefined))
    let ran = 0
    const count = task('count', () => void ran++)
    await stage.worker([count], { concurrency: 3 }, home)
    const jobs = await stage.app.enqueue(Array.from({ length: 30 }, () => count.with(null)))
    await stage.until('the buffer to fill', () => ran === 6)
    for (let i = 0; i < 50; i++) await setImmediate()
    assert.equal(ran, 6)
    resolve()
    await Promise.all(jobs.map((job) => job.result()))
  },

  'a worker takes from the queues of its tasks and from default, unless it is told': async (stage) => {
    const mail = task('mail', { queue: 'mails' }, () => 'sent')
    const jobs = [
      await stage.app.enqueue(mail.with(null)),
      await stage.app.enqueue(mail.with(null), { queue: 'default' }),
      await stage.app.enqueue(mail.with(null), { queue: 'other' }),
    ]
    await stage.worker([mail])
    assert.deepEqual([await jobs[0]!.result(), await jobs[1]!.result()], ['sent', 'sent'])
    assert.equal(await jobs[2]!.state(), 'waiting')
    await stage.worker([mail], { queues: ['other'] })
    assert.equal(await jobs[2]!.result(), 'sent')
  },

  'several queues share the places by weight': async (stage) => {
    const ran: string[] = []
    const note = task('note', (_, { queue }) => void ran.push(queue))
    const enqueue = (queue: string) =>
      stage.app.enqueue(
        Array.from({ length: 60 }, () => note.with(null)),
        { queue },
      )
    const jobs = [...(await enqueue('slow')), ...(await enqueue('fast'))]
    await stage.worker([note], { queues: { fast: 5, slow: 1 }, concurrency: 1 })
    await Promise.all(jobs.map((job) => job.result()))
    const early = ran.slice(0, 60).filter((queue) => queue === 'fast').length
    assert.ok(early >= 45 && early <= 55, `Expected about 50 of the first 60 from "fast", got ${early}.`)
  },

  'a queue that is empty leaves its places to the others': async (stage) => {
    const { through, reached, open } = door()
    const busy = task('busy', () => through())
    const jobs = await stage.app.enqueue(
      Array.from({ length: 10 }, () => busy.with(null)),
      { queue: 'light' },
    )
    await stage.worker([busy], { queues: { heavy: 1000, light: 1 }, concurrency: 10 })
    await reached(10)
    open()
    await Promise.all(jobs.map((job) => job.result()))
  },

  'two workers share the work, and each job runs once': async (stage) => {
    const ran = new Map<number, number>()
    const note = task('note', async (n: number) => {
      ran.set(n, (ran.get(n) ?? 0) + 1)
      await setImmediate()
    })
    await stage.worker([note], { concurrency: 5 })
    await stage.worker([note], { concurrency: 5 })
    const jobs = await stage.app.enqueue(Array.from({ length: 300 }, (_, i) => note.with(i)))
    await Promise.all(jobs.map((job) => job.result()))
    assert.equal(ran.size, 300)
    assert.deepEqual(new Set(ran.values()), new Set([1]))
    const by = await Promise.all(jobs.map(async (job) => (await job.info())?.worker))
    assert.equal(new Set(by).size, 2)
  },

  'an idle worker takes a job as soon as it is there, and as soon as it is due': async (stage) => {
    await stage.worker([inc])
    await (await stage.app.enqueue(inc.with(1))).result()
    const start = performance.now()
    await (await (await stage.process()).enqueue(inc.with(1))).result()
    const delayed = await stage.app.enqueue(inc.with(1), { delay: 30 })
    await delayed.result()
    assert.ok(performance.now() - start < 900, 'Expected a wake-up, not a poll.')
  },

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

  'start, stop, failures and retries are logged': async (stage) => {
    const bad = task('bad', { retry: { attempts: 2, from: 0 } }, () => {
      throw new Error('no')
    })
    const worker = await stage.worker([bad])
    const job = await stage.app.enqueue(bad.with(null))
    await rejection(job.result())
    await worker.stop()
    const told = stage.logs.map(({ level, message }) => `${level}: ${message}`)
    assert.deepEqual(told, [
      'info: worker started',
      'warn: attempt failed; it is retried',
      'error: job failed',
      'info: worker stopping',
      'info: worker stopped',
    ])
    const { id, task: name, attempt, code, error } = stage.logs[2]!.fields
    assert.deepEqual([id, name, attempt, code, error], [job.id, 'bad', 2, 'TASK_FAILED', 'no'])
  },
}
