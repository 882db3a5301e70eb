import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { Discard, RetryLater } from '../../errors.ts'
import { DAY, HOUR, SECOND } from '../conformance/build.ts'
import { deferred, door, inc, rejection } from './build.ts'
import type { Stage, Subject } from './stage.ts'

/** The delays, in seconds, that a job waited for between its attempts, each looked up before it is over. */
async function delays(stage: Stage, job: { info(): Promise<Info | undefined> }, count: number) {
  const found: number[] = []
  for (let failures = 1; failures <= count; failures++) {
    await stage.until(`failure ${failures}`, async () => (await job.info())?.attempts.length === failures)
    const { state, next, attempts } = (await job.info())!
    assert.equal(state, 'retrying')
    const wait = next!.getTime() - attempts.at(-1)!.end.getTime()
    found.push(wait / SECOND)
    await stage.advance(wait + 1)
  }
  return found
}

interface Info {
  readonly state: string
  readonly next?: Date
  readonly attempts: readonly { readonly end: Date }[]
}

const fails = () => {
  throw new Error('no')
}

export const retries: Subject = {
  'a fixed back-off waits the same time each time': async (stage) => {
    const fixed = task('fixed', { retry: { attempts: 4, backoff: 'fixed', from: '2s' } }, fails)
    await stage.worker([fixed])
    const job = await stage.app.enqueue(fixed.with(null))
    assert.deepEqual(await delays(stage, job, 3), [2, 2, 2])
    await assert.rejects(job.result(), { attempts: 4 })
  },

  'an exponential back-off doubles, up to its cap': async (stage) => {
    const retry = { attempts: 6, from: '1s', to: '5s', jitter: false } as const
    const exponential = task('exponential', { retry }, fails)
    await stage.worker([exponential])
    const job = await stage.app.enqueue(exponential.with(null))
    assert.deepEqual(await delays(stage, job, 5), [1, 2, 4, 5, 5])
    await rejection(job.result())
  },

  'an exponential back-off is spread over the whole time, unless told otherwise': async (stage) => {
    const spread = task('spread', { retry: { attempts: 2, from: '1000s' } }, fails)
    await stage.worker([spread], { concurrency: 50 })
    const jobs = await stage.app.enqueue(Array.from({ length: 40 }, () => spread.with(null)))
    const waits: number[] = []
    for (const job of jobs) {
      await stage.until('a failure', async () => (await job.state()) === 'retrying')
      const { next, attempts } = (await job.info())!
      waits.push((next!.getTime() - attempts[0]!.end.getTime()) / SECOND)
    }
    assert.ok(Math.min(...waits) >= 0 && Math.max(...waits) <= 1000)
    assert.ok(Math.max(...waits) - Math.min(...waits) > 300, 'Expected the delays to be spread.')
  },

  'a fibonacci back-off adds up the last two': async (stage) => {
    const retry = { attempts: 7, backoff: 'fibonacci', from: '1s', to: '7s' } as const
    const fibonacci = task('fibonacci', { retry }, fails)
    await stage.worker([fibonacci])
    const job = await stage.app.enqueue(fibonacci.with(null))
    assert.deepEqual(await delays(stage, job, 6), [1, 1, 2, 3, 5, 7])
    await rejection(job.result())
  },

  'a function decides on the delay by attempt and error': async (stage) => {
    const seen: [number, string][] = []
    const own = task(
      'own',
      {
        retry: {
          attempts: 3,
          backoff: (attempt, error) => {
            seen.push([attempt, (error as Error).message])
            return `${attempt}m`
          },
        },
      },
      fails,
    )
    await stage.worker([own])
    const job = await stage.app.enqueue(own.with(null))
    assert.deepEqual(await delays(stage, job, 2), [60, 120])
    await rejection(job.result())
    assert.deepEqual(seen, [
      [1, 'no'],
      [2, 'no'],
    ])
  },

  'retryIf decides whether an error is worth another attempt': async (stage) => {
    const retryIf = (error: unknown) => (error as Error).message !== 'for good'
    let runs = 0
    const picky = task('picky', { retry: { attempts: 5, from: 0, retryIf } }, () => {
      throw new Error(++runs < 3 ? 'passing' : 'for good')
    })
    await stage.worker([picky])
    const job = await stage.app.enqueue(picky.with(null))
    await assert.rejects(job.result(), { code: 'TASK_FAILED', attempts: 3, message: /for good/ })
    assert.equal(runs, 3)
  },

  'a fault in the task’s own retry functions loses no job': async (stage) => {
    let runs = 0
    const retry = {
      attempts: 2,
      from: 0,
      retryIf: () => {
        throw new Error('a fault of mine')
      },
      backoff: () => 'soon',
    }
    const faulty = task('faulty', { retry }, () => {
      if (++runs === 1) throw new Error('no')
      return 'yes'
    })
    await stage.worker([faulty])
    assert.equal(await (await stage.app.enqueue(faulty.with(null))).result(), 'yes')
    const warnings = stage.logs.filter(({ message }) => message.startsWith('retryIf or backoff failed'))
    assert.equal(warnings.length, 2)
  },

  'one attempt means no retry': async (stage) => {
    const once = task('once', { retry: 1 }, fails)
    await stage.worker([once])
    await assert.rejects((await stage.app.enqueue(once.with(null))).result(), { attempts: 1 })
  },

  'a handler is told which attempt it is': async (stage) => {
    const seen: number[] = []
    const counted = task('counted', { retry: { from: 0 } }, (_, { attempt }) => {
      seen.push(attempt)
      throw new Error('no')
    })
    await stage.worker([counted])
    await rejection((await stage.app.enqueue(counted.with(null))).result())
    assert.deepEqual(seen, [1, 2, 3])
  },

  'RetryLater runs a job again after its delay, without spending an attempt': async (stage) => {
    const seen: number[] = []
    const later = task('later', { retry: 1 }, (_, { attempt }) => {
      seen.push(attempt)
      if (seen.length < 4) throw new RetryLater('5m', 'the service is busy')
      return 'at last'
    })
    await stage.worker([later])
    const job = await stage.app.enqueue(later.with(null))
    assert.deepEqual(await delays(stage, job, 3), [300, 300, 300])
    assert.equal(await job.result(), 'at last')
    assert.deepEqual(seen, [1, 1, 1, 1])
    const { attempt, attempts } = (await job.info())!
    assert.equal(attempt, 1)
    assert.equal(attempts[0]?.error?.message, 'the service is busy')
  },

  'a job that says later for longer than giveUpAfter is given up': async (stage) => {
    const later = task('later', () => {
      throw new RetryLater('1d')
    })
    await stage.worker([later], { giveUpAfter: '2d' })
    const job = await stage.app.enqueue(later.with(null))
    await delays(stage, job, 2)
    await assert.rejects(job.result(), { code: 'GAVE_UP', attempts: 1, message: /gave up.*again in 1d/ })
  },

  'giveUpAfter counts from when a job was first due': async (stage) => {
    let runs = 0
    const later = task('later', () => {
      if (++runs === 1) throw new RetryLater('1m')
      return runs
    })
    await stage.worker([later], { giveUpAfter: '1h' })
    const job = await stage.app.enqueue(later.with(null), { delay: '3d' })
    await stage.advance(3 * DAY + 1)
    await delays(stage, job, 1)
    assert.equal(await job.result(), 2)
  },

  'RetryLater with a delay that is none fails the job at once': async (stage) => {
    const later = task('later', () => {
      throw new RetryLater('soon')
    })
    await stage.worker([later])
    await assert.rejects((await stage.app.enqueue(later.with(null))).result(), {
      code: 'TASK_FAILED',
      message: /the delay of RetryLater/,
    })
  },

  'Discard gives a job up at once, whatever attempts are left': async (stage) => {
    const gone = task('gone', { retry: 10 }, () => {
      throw new Discard('the photo is gone')
    })
    await stage.worker([gone])
    await assert.rejects((await stage.app.enqueue(gone.with(null))).result(), {
      code: 'DISCARDED',
      attempts: 1,
      errorName: 'Discard',
      message: /the photo is gone/,
    })
  },

  'a job that is retried keeps its input, headers and priority': async (stage) => {
    const seen: unknown[] = []
    const again = task('again', { retry: { attempts: 2, from: 0 } }, (input: unknown, { headers }) => {
      seen.push([input, { ...headers }])
      throw new Error('no')
    })
    await stage.worker([again])
    const job = await stage.app.enqueue(again.with([1]), { headers: { a: 'b' }, priority: 5 })
    await rejection(job.result())
    assert.deepEqual(seen, [
      [[1], { a: 'b' }],
      [[1], { a: 'b' }],
    ])
    assert.equal((await job.info())?.priority, 5)
  },

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

  'a task that this worker does not know waits for one that does': async (stage) => {
    const other = task('other', { queue: 'default' }, () => 'done')
    await stage.worker([inc])
    const job = await stage.app.enqueue(other.with(null))
    await stage.until('it to be put back', async () => (await job.state()) === 'retrying')
    assert.equal((await job.info())?.attempt, 1)
    await stage.worker([other])
    await stage.advance(SECOND)
    await stage.until('it to run', async () => {
      await stage.advance(SECOND)
      return (await job.state()) === 'succeeded'
    })
    assert.equal(await job.result(), 'done')
  },

  'a task that nobody knows is tried at growing intervals, and fails in the end': async (stage) => {
    await stage.worker([inc], { unknownTaskAfter: '10m' })
    const job = await stage.app.enqueue(task('nobody', () => 1).with(null))
    const waits: number[] = []
    for (let tries = 1; (await job.state()) !== 'failed'; tries++) {
      await stage.until('a try', async () => {
        const { state, attempts } = (await job.info())!
        return state === 'failed' || attempts.length >= Math.min(tries, 20)
      })
      const { state, next, attempts } = (await job.info())!
      if (state !== 'retrying') continue
      waits.push((next!.getTime() - attempts.at(-1)!.end.getTime()) / SECOND)
      await stage.advance(waits.at(-1)! * SECOND + 1)
      assert.ok(tries < 50)
    }
    await assert.rejects(job.result(), {
      code: 'UNKNOWN_TASK',
      attempts: 1,
      message: /this worker has no task "nobody"/,
    })
    assert.equal(waits[0], 0.5)
    assert.equal(Math.max(...waits), 60)
    assert.ok(waits.length < 25, `Expected growing intervals, got ${waits.join(', ')}.`)
  },

  'a body of a format that this version does not read is tried for a while, and then fails': async (
    stage,
  ) => {
    await stage.worker([inc], { unknownTaskAfter: '1m' })
    const { backend, app } = stage
    const [whole, broken] = await app.enqueue([inc.with(1), inc.with(2)], { delay: '1h' })
    const records = await backend.records.get([whole.id, broken.id])
    const bodies = ['9["from the future"]', '1[broken']
    await backend.submit(
      records.map((record, i) => {
        assert.equal(record?.kind, 'job')
        const { due: _, ...job } = record.job
        return { jobs: [{ ...job, id: `odd-${i}`, body: bodies[i]! }] }
      }),
    )
    for (const id of ['odd-0', 'odd-1']) {
      const job = app.job(id)
      await stage.until('it to be put back', async () => (await job.state()) === 'retrying')
      assert.equal((await job.info())?.input, undefined)
    }
    await stage.advance(2 * 60 * SECOND)
    for (const id of ['odd-0', 'odd-1']) {
      await assert.rejects(app.job(id).result(), { code: 'UNKNOWN_FORMAT', attempts: 1 })
    }
    await stage.advance(HOUR)
    assert.equal(await whole.result(), 2)
  },

  'retry() runs a failed job again, with its attempts counted from 1': async (stage) => {
    let works = false
    const seen: number[] = []
    const shaky = task('shaky', { retry: { attempts: 2, from: 0 } }, (_, { attempt }) => {
      seen.push(attempt)
      if (!works) throw new Error('no')
      return 'yes'
    })
    await stage.worker([shaky])
    const job = await stage.app.enqueue(shaky.with(null))
    await assert.rejects(job.result(), { attempts: 2 })
    works = true
    await (await stage.process()).job(job.id).retry()
    assert.equal(await job.result(), 'yes')
    assert.deepEqual(seen, [1, 2, 1])
    assert.equal((await job.info())?.error, undefined)
  },

  'retry() runs cancelled and expired jobs as well': async (stage) => {
    const [cancelled, expired] = await Promise.all([
      stage.app.enqueue(inc.with(1)),
      stage.app.enqueue(inc.with(2), { expires: '1s' }),
    ])
    await cancelled.cancel()
    await stage.advance(2 * SECOND)
    assert.deepEqual([await cancelled.state(), await expired.state()], ['cancelled', 'expired'])
    await Promise.all([cancelled.retry(), expired.retry()])
    await stage.worker([inc])
    assert.deepEqual(await Promise.all([cancelled.result(), expired.result()]), [2, 3])
  },

  'retry() of a job that has not ended, or that has succeeded, is refused': async (stage) => {
    const { through, reached, open } = door()
    const slow = task('slow', () => through())
    const job = await stage.app.enqueue(slow.with(null))
    const refused = { name: 'UsageError', code: 'NOT_RETRYABLE' }
    await assert.rejects(job.retry(), { ...refused, message: /has not ended/ })
    await stage.worker([slow])
    await reached()
    await assert.rejects(job.retry(), { ...refused, message: /has not ended/ })
    open()
    await job.result()
    await assert.rejects(job.retry(), { ...refused, message: /has succeeded/ })
  },
}
