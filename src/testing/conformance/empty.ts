import assert from 'node:assert/strict'
import { chord, flow, job, slot } from './build.ts'
import type { Subject } from './stage.ts'

export const emptyJoins: Subject = {
  'a join of size 0 that a submission opens is decided with it': async (stage) => {
    await stage.submit(flow('f', { joins: [{ id: 'f/*', size: 0, reports: slot('f') }], opens: ['f/*'] }))
    assert.deepEqual([await stage.state('f'), (await stage.join('f/*')).state], ['succeeded', 'succeeded'])
    assert.deepEqual([await stage.slots('f'), await stage.slots('f/*')], [{ 0: 'f/*' }, {}])
  },

  'a join of size 0 that nobody opened is not decided': async (stage) => {
    await stage.submit(
      flow('f', {
        joins: [
          { id: 'f/*', size: 2, reports: slot('f') },
          { id: 'f/0*', size: 0, reports: slot('f/*', 0) },
        ],
        jobs: [{ id: 'f/1', reports: slot('f/*', 1) }],
      }),
    )
    await (await stage.worker()).runs('f/1')
    assert.deepEqual([await stage.state('f'), (await stage.join('f/0*')).state], ['active', 'active'])
  },

  'the release of a join of size 0 is queued when it is opened': async (stage) => {
    const empty = chord('f', 0)
    await stage.submit({ ...empty, opens: ['f/*'] })
    assert.deepEqual(await stage.states(['f', 'f/body']), ['active', 'waiting'])
    const worker = await stage.worker()
    await worker.runs('f/body')
    await worker.findsNothing()
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'a release opens joins of size 0, beside the jobs that it queues': async (stage) => {
    await stage.submit(
      flow('f', {
        joins: [
          {
            id: 'f/0>',
            size: 1,
            reports: slot('f'),
            release: { jobs: [job({ id: 'f/1', flow: 'f', reports: slot('f/*', 1) })], opens: ['f/0*'] },
          },
          { id: 'f/*', size: 2, reports: slot('f') },
          { id: 'f/0*', size: 0, reports: slot('f/*', 0) },
        ],
        jobs: [{ id: 'f/0', reports: slot('f/0>') }],
      }),
    )
    assert.equal((await stage.join('f/0*')).state, 'active')
    const worker = await stage.worker()
    await worker.runs('f/0')
    assert.equal((await stage.join('f/0*')).state, 'succeeded')
    assert.deepEqual(await stage.slots('f/*'), { 0: 'f/0*' })
    await worker.runs('f/1')
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'empty joins that open one another come to their end in one act': async (stage) => {
    const length = 20
    const joins = Array.from({ length }, (_, i) => ({
      id: `f/${i}*`,
      size: 0,
      reports: slot('f'),
      ...(i < length - 1 && { release: { jobs: [], opens: [`f/${i + 1}*`] } }),
    }))
    await stage.submit(flow('f', { joins, opens: ['f/0*'] }))
    assert.equal(await stage.state('f'), 'succeeded')
    assert.deepEqual(await stage.slots('f'), { 0: `f/${length - 1}*` })
  },

  'empty joins nested in a join fill its slots and decide it': async (stage) => {
    await stage.submit(
      flow('f', {
        joins: [
          { id: 'f/*', size: 2, reports: slot('f') },
          { id: 'f/0*', size: 0, reports: slot('f/*', 0) },
          { id: 'f/1*', size: 0, reports: slot('f/*', 1) },
        ],
        opens: ['f/1*', 'f/0*'],
      }),
    )
    assert.equal(await stage.state('f'), 'succeeded')
    assert.deepEqual(await stage.slots('f/*'), { 0: 'f/0*', 1: 'f/1*' })
  },

  'a flow that is decided by its submission is a duplicate afterwards, and opens nothing again': async (
    stage,
  ) => {
    const empty = { ...chord('f', 0), opens: ['f/*'] }
    const receipts = await stage.backend.submit([empty, empty])
    assert.deepEqual(
      receipts.map(({ status }) => status),
      ['accepted', 'duplicate'],
    )
    assert.equal(await stage.receipt(empty), 'duplicate')
    const worker = await stage.worker()
    await worker.runs('f/body')
    await worker.findsNothing()
  },

  'a join of size 0 below a mark is not opened': async (stage) => {
    await stage.submit(
      flow('f', {
        joins: [
          { id: 'f/0>', size: 1, reports: slot('f'), release: { jobs: [], opens: ['f/*'] } },
          { id: 'f/*', size: 0, reports: slot('f') },
        ],
        jobs: [{ id: 'f/0', reports: slot('f/0>') }],
      }),
    )
    const worker = await stage.worker()
    const delivery = await worker.takes('f/0')
    await stage.backend.control.cancel(['f'])
    await worker.finishes([delivery])
    assert.equal(await stage.state('f'), 'cancelled')
    assert.notEqual((await stage.join('f/*')).state, 'succeeded')
  },
}
