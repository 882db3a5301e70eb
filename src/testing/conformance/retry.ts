import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { End } from '../../port/index.ts'
import {
  again,
  CANCELLED,
  chord,
  DAY,
  FAILED,
  group,
  HOUR,
  LEASE,
  MINUTE,
  SECOND,
  single,
  singles,
} from './build.ts'
import type { Stage, Subject } from './stage.ts'

const retried = async (stage: Stage, id: string) => (await stage.backend.control.retry([id]))[0]

export const retry: Subject = {
  'a failed job is queued again by hand, with its attempts counted from 1': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a', again())
    await worker.runs('a', FAILED)
    assert.equal(await retried(stage, 'a'), 'waiting')
    const { state, attempt, result, ended } = await stage.job('a')
    assert.deepEqual(
      { state, attempt, result, ended },
      { state: 'waiting', attempt: 1, result: undefined, ended: undefined },
    )
    const delivery = await worker.takes('a')
    assert.deepEqual([delivery.attempt, delivery.token], [1, 3])
    await worker.finishes([delivery])
    assert.equal(await stage.state('a'), 'succeeded')
  },

  'a job that was cancelled or whose workers were lost is queued again by hand, free of both': async (
    stage,
  ) => {
    await stage.submit(single({ id: 'poison' }))
    const worker = await stage.worker()
    for (let i = 0; i < 3; i++) {
      await worker.takes('poison')
      await stage.advance(LEASE + 1)
      await stage.sweep()
    }
    await stage.submit(...singles('c', 2))
    const delivery = await worker.takes('c0')
    await stage.backend.control.cancel(['c0', 'c1'])
    await worker.finishes([delivery], CANCELLED)
    const ids = ['poison', 'c0', 'c1']
    assert.deepEqual(await stage.states(ids), ['failed', 'cancelled', 'cancelled'])
    assert.deepEqual(await stage.backend.control.retry(ids), ['waiting', 'waiting', 'waiting'])
    for (const id of ids) {
      const { state, crashes, code, cancelling } = await stage.job(id)
      assert.deepEqual(
        { state, crashes, code, cancelling },
        { state: 'waiting', crashes: 0, code: undefined, cancelling: false },
      )
    }
    const taken = await worker.takesAll(ids)
    assert.deepEqual(await worker.consumer.renew([]).then(({ cancel }) => cancel), [])
    await worker.finishes(taken)
  },

  'what a job ended with stays in its history when it is queued again, and it is due from then on': async (
    stage,
  ) => {
    const failed = (text: string): End => ({ kind: 'final', state: 'failed', result: `1"${text}\n"` })
    await stage.submit(single({ id: 'a', due: { in: HOUR } }), single({ id: 'c', due: { in: HOUR } }))
    await stage.backend.control.cancel(['c'])
    await stage.advance(HOUR + SECOND)
    await stage.sweep()
    const worker = await stage.worker()
    await worker.runs('a', again(0, true, '1"one"'))
    await worker.runs('a', failed('two'))
    const before = await stage.job('a')
    await stage.advance(DAY)
    assert.deepEqual(await stage.backend.control.retry(['a', 'c']), ['waiting', 'waiting'])
    const { attempts, due, created } = await stage.job('a')
    assert.deepEqual(
      attempts.map(({ error }) => error),
      ['1"one"', '1"two\n"'],
    )
    const { start, end, worker: by } = attempts[1]!
    assert.deepEqual([start, end, by], [before.started, before.ended, before.worker])
    assert.ok(
      due - created >= DAY,
      `Expected it to be due anew, got ${due - created} ms after its submission.`,
    )
    const [delivery] = await worker.takesAll(['a', 'c'])
    assert.ok(delivery!.age < MINUTE, `Expected its age to count anew, got ${delivery!.age}.`)
    assert.deepEqual((await stage.job('c')).attempts, [])
  },

  'only what has ended badly is queued again': async (stage) => {
    await stage.submit(...singles('a', 3), single({ id: 'later', due: { in: HOUR } }))
    const worker = await stage.worker()
    await worker.runs('a0')
    await worker.takes('a1')
    const ids = ['a0', 'a1', 'later', 'nobody']
    assert.deepEqual(await stage.backend.control.retry(ids), ['succeeded', 'live', 'live', 'unknown'])
    assert.deepEqual(await stage.states(ids), ['succeeded', 'active', 'scheduled', 'unknown'])
  },

  'a second retry by hand finds the job alive': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a', FAILED)
    assert.deepEqual(await stage.backend.control.retry(['a', 'a']), ['waiting', 'live'])
    await worker.runs('a')
    await worker.findsNothing()
  },

  'a member whose slot is filled is not queued again, nor is a flow': async (stage) => {
    await stage.submit(chord('f', 2), group('g', 1))
    const worker = await stage.worker()
    await worker.runs('f/0', FAILED)
    assert.equal(await retried(stage, 'f/0'), 'member')
    await worker.runs('f/1')
    await worker.runs('g/0', FAILED)
    assert.deepEqual(await stage.backend.control.retry(['f/0', 'g/0', 'f', 'g']), Array(4).fill('member'))
    assert.deepEqual(await stage.states(['f/0', 'f', 'g/0', 'g']), Array(4).fill('failed'))
    await worker.findsNothing()
  },

  'a job queued again by hand wakes a waiting take': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a', FAILED)
    const waiting = worker.takes('a')
    await setImmediate()
    await (await stage.another()).control.retry(['a'])
    await waiting
  },

  'a job queued again by hand is kept until its new end, and from then on as long as asked': async (
    stage,
  ) => {
    await stage.submit(single({ id: 'a', keep: { succeeded: 10 * DAY, failed: HOUR } }))
    const worker = await stage.worker()
    await worker.runs('a', FAILED)
    assert.equal(await retried(stage, 'a'), 'waiting')
    await stage.advance(2 * HOUR)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'waiting')
    await worker.runs('a')
    await stage.advance(9 * DAY)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'succeeded')
    await stage.advance(DAY + SECOND)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'unknown')
  },
}
