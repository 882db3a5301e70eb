import assert from 'node:assert/strict'
import { FAILED, flow, job, slot } from './build.ts'
import type { Subject } from './stage.ts'

export const nesting: Subject = {
  'an inner join without a release fills the outer slot under its own id': async (stage) => {
    await stage.submit(
      flow('f', {
        joins: [
          { id: 'f/*', size: 2, reports: slot('f') },
          { id: 'f/0*', size: 2, reports: slot('f/*', 0) },
        ],
        jobs: [
          { id: 'f/00', reports: slot('f/0*', 0) },
          { id: 'f/01', reports: slot('f/0*', 1) },
          { id: 'f/1', reports: slot('f/*', 1) },
        ],
      }),
    )
    const worker = await stage.worker()
    const [first, second, third] = await worker.takesAll(['f/00', 'f/01', 'f/1'])
    await worker.finishes([third!, first!])
    assert.deepEqual(await stage.slots('f/*'), { 1: 'f/1' })
    await worker.finishes([second!])
    assert.deepEqual(await stage.slots('f/*'), { 0: 'f/0*', 1: 'f/1' })
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'an outer join waits for what an inner join releases': async (stage) => {
    await stage.submit(
      flow('f', {
        joins: [
          { id: 'f/*', size: 1, reports: slot('f') },
          {
            id: 'f/0*',
            size: 1,
            reports: slot('f/*'),
            release: { jobs: [job({ id: 'f/0b', flow: 'f', reports: slot('f/*') })] },
          },
        ],
        jobs: [{ id: 'f/00', reports: slot('f/0*') }],
      }),
    )
    const worker = await stage.worker()
    await worker.runs('f/00')
    assert.deepEqual([await stage.state('f'), await stage.slots('f/*')], ['active', {}])
    await worker.runs('f/0b')
    assert.deepEqual([await stage.state('f'), await stage.slots('f/*')], ['succeeded', { 0: 'f/0b' }])
  },

  'an inner failure is one bad arrival at the outer join, under the inner id': async (stage) => {
    await stage.submit(
      flow('f', {
        joins: [
          { id: 'f/*', size: 2, reports: slot('f') },
          {
            id: 'f/0*',
            size: 2,
            reports: slot('f/*', 0),
            release: { jobs: [job({ id: 'f/0b', flow: 'f', reports: slot('f/*', 0) })] },
            otherwise: job({ id: 'f/0e', flow: 'f', queue: 'errors' }),
          },
        ],
        jobs: [
          { id: 'f/00', reports: slot('f/0*', 0) },
          { id: 'f/01', reports: slot('f/0*', 1) },
          { id: 'f/1', reports: slot('f/*', 1) },
        ],
      }),
    )
    const worker = await stage.worker()
    await worker.runs('f/00', FAILED)
    assert.deepEqual(await stage.slots('f/*'), {})
    await worker.runs('f/01', FAILED)
    assert.deepEqual(await stage.slots('f/*'), { 0: '!f/0*' })
    assert.equal(await stage.state('f'), 'active')
    await worker.runs('f/1')
    assert.equal(await stage.state('f'), 'failed')
    await worker.findsNothing()
    await (await stage.worker({ queues: { errors: 1 } })).runs('f/0e')
    assert.equal(await stage.state('f/0b'), 'unknown')
  },

  'a failure of what an inner join released is that member’s failure': async (stage) => {
    await stage.submit(
      flow('f', {
        joins: [
          { id: 'f/*', size: 1, reports: slot('f') },
          {
            id: 'f/0*',
            size: 1,
            reports: slot('f/*'),
            release: { jobs: [job({ id: 'f/0b', flow: 'f', reports: slot('f/*') })] },
            otherwise: job({ id: 'f/0e', flow: 'f' }),
          },
        ],
        jobs: [{ id: 'f/00', reports: slot('f/0*') }],
      }),
    )
    const worker = await stage.worker()
    await worker.runs('f/00')
    await worker.runs('f/0b', FAILED)
    assert.deepEqual([await stage.slots('f/*'), await stage.state('f')], [{ 0: '!f/0b' }, 'failed'])
    await worker.findsNothing()
  },

  'joins nest to any depth: one end at the bottom decides them all': async (stage) => {
    const depth = 50
    const joins = Array.from({ length: depth }, (_, i) => ({
      id: `f/${i}*`,
      size: 1,
      reports: slot(i === 0 ? 'f' : `f/${i - 1}*`),
    }))
    for (const [id, end, state] of [
      ['f', undefined, 'succeeded'] as const,
      ['f', FAILED, 'failed'] as const,
    ]) {
      await stage.submit(
        flow(id, { joins, jobs: [{ id: 'f/job', reports: slot(`f/${depth - 1}*`) }], keep: none }),
      )
      await (await stage.worker()).runs('f/job', end)
      assert.equal(await stage.state('f'), state)
      const states = (await stage.backend.records.joins(joins.map((join) => join.id))).map(
        (join) => join?.state,
      )
      assert.deepEqual(new Set(states), new Set([state]))
      await stage.advance(2)
      await stage.sweep()
    }
  },
}

const none = { succeeded: 1, failed: 1 }
