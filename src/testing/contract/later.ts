import assert from 'node:assert/strict'
import { task } from '../../core/task.ts'
import { Discard, RetryLater } from '../../errors.ts'
import { DAY, HOUR, SECOND } from '../conformance/build.ts'
import { inc } from './build.ts'
import { delays } from './retries.ts'
import type { Subject } from './stage.ts'

export const later: Subject = {
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
    const told = stage.logs.find(({ fields }) => fields.id === job.id)
    assert.deepEqual([told?.level, told?.fields.task], ['warn', 'nobody'])
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
}
