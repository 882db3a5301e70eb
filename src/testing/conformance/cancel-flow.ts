import assert from 'node:assert/strict'
import {
  again,
  CANCELLED,
  chain,
  chord,
  FAILED,
  flow,
  group,
  job,
  LEASE,
  SUCCEEDED,
  single,
  slot,
} from './build.ts'
import type { Stage, Subject } from './stage.ts'

const cancel = async (stage: Stage, id: string) => (await stage.backend.control.cancel([id]))[0]
const onError = (id: string, flow = id) => job({ id: `${id}/error`, flow, queue: 'errors' })

export const cancelFlow: Subject = {
  'a flow whose members all wait is cancelled at once: no body, no error handler': async (stage) => {
    await stage.submit(chord('f', 3, { join: { otherwise: onError('f') } }))
    assert.equal(await cancel(stage, 'f'), 'cancelled')
    assert.deepEqual(await stage.states(['f', 'f/0', 'f/1', 'f/2']), Array(4).fill('cancelled'))
    await stage.sweep()
    assert.deepEqual(await stage.states(['f', 'f/0', 'f/body', 'f/error']), [
      'cancelled',
      'cancelled',
      'unknown',
      'unknown',
    ])
    await (await stage.worker({ queues: { default: 1, errors: 1 } })).findsNothing()
  },

  'of a running flow the unstarted members are cancelled and the running ones told': async (stage) => {
    await stage.submit(chord('f', 3, { root: { otherwise: onError('f') } }))
    const worker = await stage.worker({ queues: { default: 1, errors: 1 } })
    const delivery = await worker.takes('f/0')
    assert.equal(await cancel(stage, 'f'), 'cancelling')
    const { state, cancelling } = await stage.flow('f')
    assert.deepEqual([state, cancelling], ['active', true])
    assert.deepEqual(await stage.states(['f/0', 'f/1', 'f/2']), ['active', 'cancelled', 'cancelled'])
    assert.equal((await stage.job('f/0')).cancelling, true)
    assert.deepEqual(
      (await worker.consumer.renew([])).cancel.map(({ job }) => job.id),
      ['f/0'],
    )
    await stage.sweep()
    assert.equal(await stage.state('f'), 'active')
    await worker.finishes([delivery], CANCELLED)
    assert.deepEqual(await stage.states(['f', 'f/0']), ['cancelled', 'cancelled'])
    assert.equal((await stage.flow('f')).cancelling, false)
    await worker.findsNothing()
  },

  'a member that succeeds under the mark is recorded, and nothing follows it': async (stage) => {
    await stage.submit(chain('f', 3))
    const worker = await stage.worker()
    const delivery = await worker.takes('f/0')
    assert.equal(await cancel(stage, 'f'), 'cancelling')
    await worker.finishes([delivery])
    assert.deepEqual(await stage.states(['f/0', 'f/1', 'f/2', 'f']), [
      'succeeded',
      'unknown',
      'unknown',
      'cancelled',
    ])
    await worker.findsNothing()
  },

  'a cancelled flow whose last running members all succeed has succeeded': async (stage) => {
    await stage.submit(group('f', 2, { join: { besides: job({ id: 'f/beside', flow: 'f' }) } }))
    const worker = await stage.worker()
    const taken = await worker.takesAll(['f/0', 'f/1'])
    assert.equal(await cancel(stage, 'f'), 'cancelling')
    await worker.finishes(taken, SUCCEEDED)
    assert.deepEqual(await stage.states(['f', 'f/beside']), ['succeeded', 'unknown'])
    await worker.findsNothing()
  },

  'a member that fails under the mark ends the flow as cancelled': async (stage) => {
    await stage.submit(group('f', 1, { root: { otherwise: onError('f') } }))
    const worker = await stage.worker({ queues: { default: 1, errors: 1 } })
    const delivery = await worker.takes('f/0')
    await cancel(stage, 'f')
    await worker.finishes([delivery], FAILED)
    assert.deepEqual(await stage.states(['f/0', 'f']), ['failed', 'cancelled'])
    await worker.findsNothing()
  },

  'a retry or the loss of a running member ends it, and the flow, as cancelled': async (stage) => {
    await stage.submit(chord('f', 2))
    const worker = await stage.worker()
    const [first] = await worker.takesAll(['f/0', 'f/1'])
    await cancel(stage, 'f')
    await worker.finishes([first!], again(0))
    assert.deepEqual(await stage.states(['f/0', 'f']), ['cancelled', 'active'])
    await stage.advance(LEASE + 1)
    await stage.sweep()
    assert.deepEqual(await stage.states(['f/1', 'f']), ['cancelled', 'cancelled'])
    await worker.findsNothing()
  },

  'cancel reaches members at any depth, started ones and those to come': async (stage) => {
    const depth = 6
    const inner = Array.from({ length: depth }, (_, i) => ({
      id: `f/${i}*`,
      size: 2,
      reports: i === 0 ? slot('f') : slot(`f/${i - 1}*`),
      otherwise: onError(`f/${i}`, 'f'),
    }))
    await stage.submit(
      flow('f', {
        joins: inner,
        jobs: [
          ...inner.map(({ id }, i) => ({ id: `f/j${i}`, reports: slot(id, 1) })),
          { id: 'f/deep', reports: slot(`f/${depth - 1}*`) },
        ],
      }),
    )
    const worker = await stage.worker({ queues: { default: 1, errors: 1 } })
    const delivery = await worker.takes('f/j0')
    assert.equal(await cancel(stage, 'f'), 'cancelling')
    assert.deepEqual(
      await stage.states(['f/deep', ...inner.slice(1).map((_, i) => `f/j${i + 1}`)]),
      Array(depth).fill('cancelled'),
    )
    await stage.sweep()
    await worker.findsNothing()
    await worker.finishes([delivery])
    assert.equal(await stage.state('f'), 'cancelled')
    await worker.findsNothing()
  },

  'joins below a mark read as cancelling, and as cancelled at their end': async (stage) => {
    await stage.submit(chord('f', 2))
    const worker = await stage.worker()
    const delivery = await worker.takes('f/0')
    assert.equal((await stage.join('f/*')).cancelling, false)
    await cancel(stage, 'f')
    assert.deepEqual(
      [(await stage.join('f/*')).state, (await stage.join('f/*')).cancelling],
      ['active', true],
    )
    await worker.finishes([delivery])
    await stage.sweep()
    assert.deepEqual(
      [(await stage.join('f/*')).state, (await stage.join('f/*')).cancelling],
      ['cancelled', false],
    )
  },

  'cancel of a flow is idempotent, and a flow that has ended stays as it is': async (stage) => {
    await stage.submit(chord('f', 2), chain('g', 1), group('h', 1))
    const worker = await stage.worker()
    const [first] = await worker.takesAll(['f/0'])
    assert.deepEqual(await stage.backend.control.cancel(['f', 'f']), ['cancelling', 'cancelling'])
    await worker.finishes([first!], CANCELLED)
    assert.equal(await cancel(stage, 'f'), 'final')
    await worker.runs('g/0')
    assert.equal(await cancel(stage, 'g'), 'final')
    await worker.runs('h/0', FAILED)
    assert.equal(await cancel(stage, 'h'), 'final')
    assert.deepEqual(await stage.states(['f', 'g', 'h']), ['cancelled', 'succeeded', 'failed'])
  },

  'cancel of one member is a bad arrival like any other: the flow fails': async (stage) => {
    await stage.submit(chord('f', 2, { join: { otherwise: onError('f') } }), single({ id: 'other' }))
    const worker = await stage.worker({ queues: { default: 1, errors: 1 } })
    assert.equal(await cancel(stage, 'f/0'), 'cancelled')
    assert.deepEqual(await stage.slots('f/*'), { 0: '!f/0' })
    await worker.runs('f/1')
    assert.equal(await stage.state('f'), 'failed')
    await worker.takesAll(['other', 'f/error'])
  },

  'cancel of one flow leaves the others alone': async (stage) => {
    await stage.submit(chord('f', 1), chord('g', 1))
    await cancel(stage, 'f')
    const worker = await stage.worker()
    await worker.runs('g/0')
    await worker.runs('g/body')
    assert.deepEqual(await stage.states(['f', 'g']), ['cancelled', 'succeeded'])
  },

  'a cancelled flow with a thousand waiting members reads so at once and is ended by sweeps': async (
    stage,
  ) => {
    await stage.submit(chord('f', 1000))
    const worker = await stage.worker()
    const delivery = await worker.takes('f/0')
    assert.equal(await cancel(stage, 'f'), 'cancelling')
    const ids = Array.from({ length: 999 }, (_, i) => `f/${i + 1}`)
    assert.deepEqual(new Set(await stage.states(ids)), new Set(['cancelled']))
    for (let moved = 1; moved > 0; ) moved = (await stage.backend.sweep(100)).moved
    await worker.findsNothing()
    await worker.finishes([delivery])
    await stage.sweep()
    assert.equal(await stage.state('f'), 'cancelled')
    const counts = (await stage.backend.records.counts()).filter(({ state }) => state === 'cancelled')
    assert.equal(counts[0]?.count, 999)
  },
}
