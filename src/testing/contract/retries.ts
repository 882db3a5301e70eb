import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { SECOND } from '../conformance/build.ts'
import { door, inc, rejection } from './build.ts'
import type { Stage, Subject } from './stage.ts'

/** The delays, in seconds, that a job waited for between its attempts, each looked up before it is over. */
export async function delays(stage: Stage, job: { info(): Promise<Info | undefined> }, count: number) {
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
