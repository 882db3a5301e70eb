import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { task } from '../../core/task.ts'
import { TaskFailedError } from '../../errors.ts'
import { HOUR } from '../conformance/build.ts'
import { door, echo, fail, inc, rejection, tasks } from './build.ts'
import type { Subject } from './stage.ts'

class Refused extends Error {
  override readonly name = 'Refused'
  readonly code = 'E_REFUSED'
}

export const results: Subject = {
  'a result asked for before any worker runs, while it runs and after it ran is the same': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', async (n: number) => {
      await through()
      return n + 1
    })
    const job = await stage.app.enqueue(slow.with(1))
    const before = job.result()
    await stage.worker([slow])
    await reached()
    const during = job.result()
    open()
    assert.deepEqual(await Promise.all([before, during]), [2, 2])
    assert.equal(await job.result(), 2)
  },

  'a result is there for any process that knows the id': async (stage) => {
    const job = await stage.app.enqueue(inc.with(1), { id: 'one' })
    const other = await stage.process()
    const waiting = other.job('one', inc).result()
    await stage.worker([inc])
    assert.equal(await waiting, 2)
    assert.equal(await job.result(), 2)
    assert.equal(await (await stage.process()).job('one').result(), 2)
  },

  'a result never races: it comes whenever it is asked for, by whichever process': async (stage) => {
    const home = await stage.process()
    await stage.worker([inc], { concurrency: 20 }, home)
    const other = await stage.process()
    const one = async (i: number) => {
      const app = [stage.app, home][i % 2]!
      const id = `job-${i}`
      const enqueued = app.enqueue(inc.with(i), { id })
      for (let wait = 0; wait < i % 7; wait++) await setImmediate()
      const job = await enqueued
      if (i % 3 === 0) await setImmediate()
      return Promise.all([job.result(), other.job(id).result(), home.job(id).result()])
    }
    const values = await Promise.all(Array.from({ length: 120 }, (_, i) => one(i)))
    for (const [i, value] of values.entries()) assert.deepEqual(value, [i + 1, i + 1, i + 1])
  },

  'one after the other, call and result, comes to an end each time': async (stage) => {
    await stage.worker([inc])
    let n = 0
    for (let i = 0; i < 100; i++) n = await (await stage.app.enqueue(inc.with(n))).result()
    assert.equal(n, 100)
  },

  'a failed job’s result rejects with the task’s own error: message, name, stack, code, causes and attempts':
    async (stage) => {
      const refuse = task('refuse', { retry: { attempts: 2, from: 0 } }, (): number => {
        const cause = new TypeError('the account is closed', { cause: 'a reason' })
        throw new Refused('payment refused', { cause })
      })
      await stage.worker([refuse])
      const job = await stage.app.enqueue(refuse.with(null))
      for (const handle of [job, (await stage.process()).job(job.id)]) {
        const error = await rejection(handle.result())
        assert.ok(error instanceof TaskFailedError)
        const { name, code, id, task, attempts, errorName, errorCode, message, stack, cause } = error
        assert.deepEqual(
          { name, code, id, task, attempts, errorName, errorCode, message },
          {
            name: 'TaskFailedError',
            code: 'TASK_FAILED',
            id: job.id,
            task: 'refuse',
            attempts: 2,
            errorName: 'Refused',
            errorCode: 'E_REFUSED',
            message: `refuse (${job.id}): payment refused`,
          },
        )
        assert.match(stack!, /payment refused[\s\S]+results\.[jt]s/)
        assert.equal((cause as Error).message, 'TypeError: the account is closed')
        assert.equal(((cause as Error).cause as Error).message, '"a reason"')
      }
    },

  'a result that takes longer than its timeout is given up, and the job goes on': async (stage) => {
    const job = await stage.app.enqueue(inc.with(1))
    await assert.rejects(job.result({ timeout: 20 }), { name: 'WaitError', code: 'RESULT_TIMEOUT' })
    assert.equal(await job.state(), 'waiting')
    await assert.rejects(job.result({ timeout: 0 }), { code: 'RESULT_TIMEOUT' })
    await stage.worker([inc])
    assert.equal(await job.result({ timeout: '10s' }), 2)
  },

  'a wait may be aborted, and the job goes on': async (stage) => {
    const job = await stage.app.enqueue(inc.with(1))
    const stop = new AbortController()
    const waiting = job.result({ signal: stop.signal })
    stop.abort(new Error('the client went away'))
    const error = await rejection(waiting)
    assert.equal((error as { code?: string }).code, 'ABORTED')
    assert.equal(((error as Error).cause as Error).message, 'the client went away')
    await assert.rejects(job.result({ signal: AbortSignal.abort() }), { code: 'ABORTED' })
    await stage.worker([inc])
    assert.equal(await job.result({ signal: new AbortController().signal }), 2)
  },

  'a wait for an id that nobody knows ends at once': async ({ app }) => {
    for (const id of ['nobody', '', '__proto__', 'a/0.1']) {
      const job = app.job(id)
      await assert.rejects(job.result(), { name: 'WaitError', code: 'UNKNOWN_JOB' })
      assert.equal(await job.state(), 'unknown')
      assert.equal(await job.info(), undefined)
      assert.equal(await job.cancel(), 'unknown')
      await assert.rejects(job.retry(), { code: 'UNKNOWN_JOB' })
      for await (const _ of job.progress) assert.fail('Expected no progress of an unknown job.')
    }
  },

  'with keep 0 a job ends without a record, and who waits for it is told so': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', () => through())
    const job = await stage.app.enqueue(slow.with(null), { keep: 0, id: 'one' })
    const again = await stage.app.enqueue(slow.with(null), { id: 'one' })
    assert.equal(again.status, 'duplicate')
    const waiting = [job, again].map((each) => rejection(each.result()))
    const stranger = rejection((await stage.process()).job('one').result())
    await stage.worker([slow])
    await reached()
    open()
    for (const error of await Promise.all(waiting)) {
      assert.equal((error as { code?: string }).code, 'NOT_KEPT')
    }
    // Who has only the id is told that it was not kept if it was seen in time, and nothing is known if not.
    assert.match(((await stranger) as { code: string }).code, /^(NOT_KEPT|UNKNOWN_JOB)$/)
    assert.equal(await job.state(), 'unknown')
    await assert.rejects(job.result(), { code: 'NOT_KEPT' })
    await assert.rejects(again.result(), { code: 'NOT_KEPT' })
    await assert.rejects((await stage.process()).job('one').result(), { code: 'UNKNOWN_JOB' })
  },

  'of a job whose record is gone nothing is told but that it is gone': async (stage) => {
    await stage.worker([inc])
    const job = await stage.app.enqueue(inc.with(1))
    await job.result()
    await stage.advance(HOUR + 1000)
    await assert.rejects(job.result(), { code: 'NOT_KEPT' })
    await assert.rejects(stage.app.job(job.id).result(), { code: 'UNKNOWN_JOB' })
    assert.equal(await job.cancel(), 'unknown')
  },

  'hundreds wait for one job, and all are answered': async (stage) => {
    const job = await stage.app.enqueue(inc.with(1))
    const other = await stage.process()
    const waiting = Array.from({ length: 300 }, (_, i) => (i % 2 ? job : other.job(job.id)).result())
    await stage.worker([inc])
    assert.deepEqual(new Set(await Promise.all(waiting)), new Set([2]))
  },

  'a wait lives through trouble with the backend, and through lost hints': async (stage) => {
    let trouble = true
    const error = Object.assign(new Error('no connection'), { retryable: true })
    const app = await stage.process({}, ({ verb, nth }) => {
      if (verb === 'hint' && nth > 1) return { fail: error }
      return verb === 'records' && trouble ? { fail: error } : undefined
    })
    const job = await app.enqueue(inc.with(1))
    const waiting = job.result()
    await assert.rejects(job.result({ timeout: 20 }), { message: 'no connection' })
    await stage.worker([inc])
    assert.equal(await stage.app.job(job.id).result(), 2)
    trouble = false
    assert.equal(await waiting, 2)
  },

  'state() tells exactly where a job stands': async (stage) => {
    const { through, reached, open } = door()
    let runs = 0
    const shaky = task('shaky', { retry: { attempts: 2, from: '1m', jitter: false } }, async () => {
      if (++runs === 1) throw new Error('once')
      await through()
    })
    const job = await stage.app.enqueue(shaky.with(null), { delay: '1m' })
    assert.equal(await job.state(), 'scheduled')
    await stage.advance(60_001)
    assert.equal(await job.state(), 'waiting')
    await stage.worker(tasks.concat(shaky as never))
    await stage.until('the first failure', async () => (await job.state()) === 'retrying')
    await stage.advance(60_001)
    await reached()
    assert.equal(await job.state(), 'active')
    open()
    await job.result()
    assert.equal(await job.state(), 'succeeded')
    const failed = await stage.app.enqueue(fail.with('no'))
    await rejection(failed.result())
    assert.equal(await failed.state(), 'failed')
    const cancelled = await stage.app.enqueue(inc.with(1), { delay: '1h' })
    await cancelled.cancel()
    assert.equal(await cancelled.state(), 'cancelled')
    const expired = await stage.app.enqueue(inc.with(1), { queue: 'nobody', expires: '1m' })
    await stage.advance(60_001)
    assert.equal(await expired.state(), 'expired')
    assert.equal(await stage.app.job('nobody').state(), 'unknown')
  },

  'info() tells all that is known of a job': async (stage) => {
    const { through, reached, open } = door()
    let runs = 0
    const shaky = task('shaky', { retry: { from: 0 } }, async (_: { n: number }, { progress }) => {
      if (++runs < 3) throw new Refused(`failure ${runs}`)
      progress(50, 'half')
      await through()
      return 'done'
    })
    const worker = await stage.worker([shaky], { concurrency: 1 })
    const job = await stage.app.enqueue(shaky.with({ n: 1 }), {
      id: 'one',
      queue: 'default',
      priority: 4,
      headers: { tenant: 'a' },
    })
    await reached()
    await stage.until('the progress', async () => (await job.info())?.progress !== undefined)
    const active = (await job.info())!
    assert.deepEqual(
      { ...active, created: 0, due: 0, started: 0, attempts: active.attempts.length },
      {
        id: 'one',
        task: 'shaky',
        queue: 'default',
        state: 'active',
        cancelling: false,
        input: { n: 1 },
        headers: { tenant: 'a' },
        priority: 4,
        attempt: 3,
        crashes: 0,
        created: 0,
        due: 0,
        started: 0,
        worker: worker.id,
        progress: { percent: 50, note: 'half' },
        attempts: 2,
      },
    )
    for (const [i, { start, end, worker: by, error }] of active.attempts.entries()) {
      assert.ok(start instanceof Date && end >= start && start >= active.created)
      assert.equal(by, worker.id)
      const { name, code, errorCode, message, stack } = error!
      assert.deepEqual(
        { name, code, errorCode, message },
        { name: 'Refused', code: 'TASK_FAILED', errorCode: 'E_REFUSED', message: `failure ${i + 1}` },
      )
      assert.match(stack!, /failure/)
    }
    open()
    assert.equal(await job.result(), 'done')
    const { state, result, ended, started, attempt } = (await job.info())!
    assert.deepEqual({ state, result, attempt }, { state: 'succeeded', result: 'done', attempt: 3 })
    assert.ok(ended! >= started!)
  },

  'info() of a failed job tells the last failure, and of the attempts before the last twenty': async (
    stage,
  ) => {
    let runs = 0
    const doomed = task('doomed', { retry: { attempts: 25, from: 0 } }, () => {
      throw new Error(`failure ${++runs}`)
    })
    await stage.worker([doomed])
    const job = await stage.app.enqueue(doomed.with(null))
    await rejection(job.result())
    const { attempt, attempts, error, state, result } = (await job.info())!
    assert.deepEqual({ attempt, state, result }, { attempt: 25, state: 'failed', result: undefined })
    assert.equal(error?.message, 'failure 25')
    assert.deepEqual(
      attempts.map((each) => each.error?.message),
      Array.from({ length: 20 }, (_, i) => `failure ${i + 5}`),
    )
  },

  'a job that returns null, or an error’s look-alike, has succeeded': async (stage) => {
    await stage.worker([echo])
    for (const value of [null, { code: 'TASK_FAILED', message: 'x' }, [], '']) {
      const job = await stage.app.enqueue(echo.with(value))
      assert.deepEqual(await job.result(), value)
      assert.equal((await job.info())?.error, undefined)
    }
  },
}
