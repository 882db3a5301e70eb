import assert from 'node:assert/strict'
import { CANCELLED, chord, DAY, FAILED, group, HOUR, job, SECOND, single, singles } from './build.ts'
import type { Stage, Subject } from './stage.ts'

const keep = { succeeded: HOUR, failed: DAY }

async function pass(stage: Stage, time: number) {
  await stage.advance(time)
  await stage.sweep()
}

export const retention: Subject = {
  'the record of a succeeded job stays as long as asked, and goes then': async (stage) => {
    await stage.submit(single({ id: 'a', keep }))
    const worker = await stage.worker()
    await pass(stage, 2 * DAY)
    await worker.runs('a')
    await pass(stage, HOUR - 10 * SECOND)
    assert.equal(await stage.state('a'), 'succeeded')
    await pass(stage, 11 * SECOND)
    assert.equal(await stage.state('a'), 'unknown')
    assert.deepEqual(await stage.backend.records.counts(), [])
    assert.equal(await stage.receipt(single({ id: 'a' })), 'accepted')
  },

  'the records of failed, cancelled and expired jobs stay as long as failed ones': async (stage) => {
    await stage.submit(...singles('a', 3, { keep }), single({ id: 'expired', keep, expiresIn: SECOND }))
    const worker = await stage.worker()
    await pass(stage, 2 * SECOND)
    await worker.runs('a0', FAILED)
    await worker.runs('a1', CANCELLED)
    await stage.backend.control.cancel(['a2'])
    const ids = ['a0', 'a1', 'a2', 'expired']
    const ended = ['failed', 'cancelled', 'cancelled', 'expired']
    await pass(stage, DAY - 10 * SECOND)
    assert.deepEqual(await stage.states(ids), ended)
    await pass(stage, 12 * SECOND)
    assert.deepEqual(await stage.states(ids), Array(4).fill('unknown'))
  },

  'keep 0 leaves no record of the end, however it came': async (stage) => {
    const none = { succeeded: 0, failed: 0 }
    await stage.submit(
      ...singles('a', 4, { keep: none }),
      single({ id: 'late', keep: none, expiresIn: SECOND }),
    )
    const worker = await stage.worker()
    await worker.runs('a0')
    await worker.runs('a1', FAILED)
    await worker.runs('a2', CANCELLED)
    await stage.backend.control.cancel(['a3'])
    await pass(stage, 2 * SECOND)
    assert.deepEqual(await stage.states(['a0', 'a1', 'a2', 'a3', 'late']), Array(5).fill('unknown'))
    assert.deepEqual(await stage.backend.records.counts(), [])
  },

  'keep tells good ends from bad ones': async (stage) => {
    await stage.submit(...singles('a', 2, { keep: { succeeded: 0, failed: DAY } }))
    const worker = await stage.worker()
    await worker.runs('a0')
    await worker.runs('a1', FAILED)
    assert.deepEqual(await stage.states(['a0', 'a1']), ['unknown', 'failed'])
  },

  'records of members and joins stay with their flow and go with it': async (stage) => {
    await stage.submit(chord('f', 2, { keep, member: { keep: { succeeded: 0, failed: 0 } } }))
    const worker = await stage.worker()
    await worker.runs('f/0')
    await pass(stage, 2 * HOUR)
    assert.equal(await stage.state('f/0'), 'succeeded')
    await worker.runs('f/1')
    await worker.runs('f/body')
    const ids = ['f', 'f/0', 'f/1', 'f/body']
    await pass(stage, HOUR - 10 * SECOND)
    assert.deepEqual(await stage.states(ids), Array(4).fill('succeeded'))
    assert.deepEqual(await stage.slots('f/*'), { 0: 'f/0', 1: 'f/1' })
    await pass(stage, 11 * SECOND)
    assert.deepEqual(await stage.states(ids), Array(4).fill('unknown'))
    assert.deepEqual(await stage.backend.records.joins(['f', 'f/*']), [undefined, undefined])
    assert.deepEqual(await stage.slots('f/*'), {})
    assert.deepEqual(await stage.backend.records.counts(), [])
    assert.equal(await stage.receipt(chord('f', 2)), 'accepted')
    await worker.takesAll(['f/0', 'f/1'])
  },

  'a flow that ended badly stays as long as failed ones': async (stage) => {
    await stage.submit(group('f', 1, { keep }), group('g', 1, { keep }))
    await (await stage.worker()).runs('f/0', FAILED)
    await stage.backend.control.cancel(['g'])
    await pass(stage, DAY - 10 * SECOND)
    assert.deepEqual(await stage.states(['f', 'f/0', 'g', 'g/0']), [
      'failed',
      'failed',
      'cancelled',
      'cancelled',
    ])
    await pass(stage, 11 * SECOND)
    assert.deepEqual(await stage.states(['f', 'f/0', 'g', 'g/0']), Array(4).fill('unknown'))
  },

  'a flow goes no sooner than its last member has ended': async (stage) => {
    const otherwise = job({ id: 'f/error', flow: 'f', queue: 'errors' })
    await stage.submit(group('f', 3, { keep, join: { failFast: true, otherwise } }))
    const worker = await stage.worker({ queues: { default: 1, errors: 1 } })
    const [first, second] = await worker.takesAll(['f/0', 'f/1'])
    await worker.finishes([first!], FAILED)
    assert.equal(await stage.state('f'), 'failed')
    await stage.advance(DAY + SECOND)
    await worker.consumer.renew([])
    await stage.sweep()
    assert.deepEqual(await stage.states(['f', 'f/0', 'f/1', 'f/2', 'f/error']), [
      'failed',
      'failed',
      'active',
      'waiting',
      'waiting',
    ])
    await worker.finishes([second!])
    await worker.runs('f/2')
    await stage.sweep()
    assert.equal(await stage.state('f'), 'failed')
    await worker.runs('f/error')
    await stage.sweep()
    assert.deepEqual(await stage.states(['f', 'f/0', 'f/1', 'f/2', 'f/error']), Array(5).fill('unknown'))
  },

  'a flow with keep 0 is whole until its end, and gone with the next sweep': async (stage) => {
    const none = { succeeded: 0, failed: 0 }
    await stage.submit(chord('f', 2, { keep: none, member: { keep: none } }))
    const worker = await stage.worker()
    await worker.runs('f/0')
    await stage.sweep()
    await worker.runs('f/1')
    await stage.sweep()
    assert.deepEqual(await stage.states(['f', 'f/0', 'f/1', 'f/body']), [
      'active',
      'succeeded',
      'succeeded',
      'waiting',
    ])
    await worker.runs('f/body')
    await stage.sweep()
    assert.deepEqual(await stage.states(['f', 'f/0', 'f/1', 'f/body']), Array(4).fill('unknown'))
    assert.equal(await stage.receipt(chord('f', 2)), 'accepted')
  },

  'what has not ended is kept for ever': async (stage) => {
    await stage.submit(
      single({ id: 'waiting', keep: { succeeded: 0, failed: 0 } }),
      single({ id: 'scheduled', due: { in: 1000 * DAY } }),
      group('f', 1),
    )
    await pass(stage, 900 * DAY)
    assert.deepEqual(await stage.states(['waiting', 'scheduled', 'f', 'f/0']), [
      'waiting',
      'scheduled',
      'active',
      'waiting',
    ])
  },
}
