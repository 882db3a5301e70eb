import assert from 'node:assert/strict'
import { chord, FAILED, flow, group, job, LEASE, SUCCEEDED, slot } from './build.ts'
import type { Subject } from './stage.ts'

const otherwise = job({ id: 'f/error', flow: 'f', queue: 'errors' })
const queues = { default: 1, errors: 1 }

export const failures: Subject = {
  'a failed member stops none of its siblings, and the join is decided when all have ended': async (
    stage,
  ) => {
    await stage.submit(chord('f', 3, { join: { otherwise } }))
    const worker = await stage.worker({ queues })
    await worker.runs('f/0', FAILED)
    assert.deepEqual(await stage.states(['f', 'f/1', 'f/2', 'f/error']), [
      'active',
      'waiting',
      'waiting',
      'unknown',
    ])
    await worker.runs('f/1')
    assert.equal((await stage.join('f/*')).state, 'active')
    await worker.runs('f/2', FAILED)
    assert.equal((await stage.join('f/*')).state, 'failed')
    assert.deepEqual(await stage.slots('f/*'), { 0: '!f/0', 1: 'f/1', 2: '!f/2' })
    await worker.runs('f/error')
    await worker.findsNothing()
    assert.deepEqual(await stage.states(['f', 'f/body']), ['failed', 'unknown'])
  },

  'a failed member is a bad arrival whatever state it ended in': async (stage) => {
    await stage.submit(
      group('failed', 1),
      group('cancelled', 1),
      group('expired', 1, { member: { expiresIn: 1 } }),
      group('lost', 1),
    )
    await stage.advance(2)
    await stage.sweep()
    await stage.backend.control.cancel(['cancelled/0'])
    const worker = await stage.worker()
    await worker.runs('failed/0', FAILED)
    for (let i = 0; i < 3; i++) {
      await worker.takes('lost/0')
      await stage.advance(LEASE + 1)
      await stage.sweep()
    }
    const flows = ['failed', 'cancelled', 'expired', 'lost']
    assert.deepEqual(await stage.states(flows.map((id) => `${id}/0`)), [
      'failed',
      'cancelled',
      'expired',
      'failed',
    ])
    assert.deepEqual(await stage.states(flows), Array(4).fill('failed'))
    for (const id of flows) assert.deepEqual(await stage.slots(`${id}/*`), { 0: `!${id}/0` })
  },

  'with failFast the first failure decides, and the others run on for readers only': async (stage) => {
    await stage.submit(chord('f', 3, { join: { otherwise, failFast: true } }))
    const worker = await stage.worker({ queues })
    const [first, second, third] = await worker.takesAll(['f/0', 'f/1', 'f/2'])
    await worker.finishes([second!], FAILED)
    assert.deepEqual([await stage.state('f'), (await stage.join('f/*')).state], ['failed', 'failed'])
    await worker.runs('f/error')
    assert.equal((await stage.job('f/0')).cancelling, false)
    await worker.finishes([first!], SUCCEEDED)
    await worker.finishes([third!], FAILED)
    assert.deepEqual(await stage.slots('f/*'), { 0: 'f/0', 1: '!f/1', 2: '!f/2' })
    await worker.findsNothing()
    assert.equal(await stage.state('f'), 'failed')
  },

  'with cancelSiblings the first failure cancels the waiting and tells the running': async (stage) => {
    await stage.submit(chord('f', 4, { join: { otherwise, cancelSiblings: true } }))
    const worker = await stage.worker({ queues })
    const [first, second] = await worker.takesAll(['f/0', 'f/1'])
    await worker.finishes([first!], FAILED)
    assert.deepEqual(await stage.states(['f/1', 'f/2', 'f/3', 'f']), [
      'active',
      'cancelled',
      'cancelled',
      'active',
    ])
    assert.deepEqual(
      (await worker.consumer.renew([])).cancel.map(({ job }) => job.id),
      ['f/1'],
    )
    await stage.sweep()
    await worker.finishes([second!], SUCCEEDED)
    assert.deepEqual(await stage.states(['f', 'f/1', 'f/2']), ['failed', 'succeeded', 'cancelled'])
    assert.deepEqual(await stage.slots('f/*'), { 0: '!f/0', 1: 'f/1', 2: '!f/2', 3: '!f/3' })
    await worker.runs('f/error')
    await worker.findsNothing()
  },

  'with cancelSiblings a join whose members all waited has failed, not been cancelled': async (stage) => {
    await stage.submit(chord('f', 3, { join: { otherwise, cancelSiblings: true } }))
    const worker = await stage.worker({ queues })
    await worker.runs('f/0', FAILED)
    await stage.sweep()
    assert.deepEqual([await stage.state('f'), (await stage.join('f/*')).state], ['failed', 'failed'])
    await worker.runs('f/error')
    await worker.findsNothing()
  },

  'cancelSiblings reaches what is nested in the siblings, and stops what would follow there': async (
    stage,
  ) => {
    const inner = job({ id: 'f/inner', flow: 'f', queue: 'errors' })
    await stage.submit(
      flow('f', {
        joins: [
          { id: 'f/*', size: 3, reports: slot('f'), cancelSiblings: true, otherwise },
          {
            id: 'f/1>',
            size: 1,
            reports: slot('f/*', 1),
            release: { jobs: [job({ id: 'f/1b', flow: 'f' })] },
          },
          { id: 'f/2*', size: 2, reports: slot('f/*', 2), otherwise: inner },
        ],
        jobs: [
          { id: 'f/0', reports: slot('f/*', 0) },
          { id: 'f/1a', reports: slot('f/1>') },
          { id: 'f/2a', reports: slot('f/2*', 0) },
          { id: 'f/2b', reports: slot('f/2*', 1) },
        ],
      }),
    )
    const worker = await stage.worker({ queues })
    const [first, second] = await worker.takesAll(['f/0', 'f/1a'])
    await worker.finishes([first!], FAILED)
    assert.deepEqual(await stage.states(['f/2a', 'f/2b']), ['cancelled', 'cancelled'])
    await stage.sweep()
    await worker.finishes([second!])
    assert.deepEqual(await stage.slots('f/*'), { 0: '!f/0', 1: '!f/1>', 2: '!f/2*' })
    assert.equal(await stage.state('f'), 'failed')
    await worker.runs('f/error')
    await worker.findsNothing()
    assert.deepEqual(await stage.states(['f/1b', 'f/inner']), ['unknown', 'unknown'])
  },

  'the job for the bad case is queued once, and what becomes of it changes nothing': async (stage) => {
    await stage.submit(group('f', 2, { join: { otherwise } }))
    const worker = await stage.worker({ queues })
    await worker.runs('f/0', FAILED)
    await worker.runs('f/1', FAILED)
    assert.equal(await stage.state('f'), 'failed')
    await worker.runs('f/error', FAILED)
    await worker.findsNothing()
    assert.deepEqual(await stage.states(['f', 'f/error']), ['failed', 'failed'])
  },

  'the job for the bad case is not queued when all goes well': async (stage) => {
    await stage.submit(
      group('f', 2, { join: { otherwise }, root: { otherwise: { ...otherwise, id: 'f/root' } } }),
    )
    const worker = await stage.worker({ queues })
    await worker.runs('f/0')
    await worker.runs('f/1')
    await worker.findsNothing()
    assert.deepEqual(await stage.states(['f', 'f/error', 'f/root']), ['succeeded', 'unknown', 'unknown'])
  },

  'a failure on the way out queues the job for the bad case of every join it decides': async (stage) => {
    const outer = { ...otherwise, id: 'f/outer' }
    await stage.submit(group('f', 1, { join: { otherwise }, root: { otherwise: outer } }))
    const worker = await stage.worker({ queues })
    await worker.runs('f/0', FAILED)
    await worker.takesAll(['f/error', 'f/outer'])
    await worker.findsNothing()
  },
}
