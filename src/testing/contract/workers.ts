import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { task } from '../../core/task.ts'
import { deferred, door, inc, rejection } from './build.ts'
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
