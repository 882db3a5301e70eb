import assert from 'node:assert/strict'
import { chain, chord, FAILED, flow, job, SECOND, slot } from './build.ts'
import type { Subject } from './stage.ts'

export const done: Subject = {
  'a job that was done before is stored as succeeded, with its result, and never handed out': async (
    stage,
  ) => {
    await stage.submit(chord('f', 2, { member: { done: '1"taken over"' } }))
    const { state, result, attempt, attempts, ended } = await stage.job('f/0')
    assert.deepEqual(
      { state, result, attempt, attempts },
      { state: 'succeeded', result: '1"taken over"', attempt: 1, attempts: [] },
    )
    assert.ok(ended !== undefined)
    assert.deepEqual(await stage.slots('f/*'), { 0: 'f/0', 1: 'f/1' })
    const worker = await stage.worker()
    await worker.runs('f/body')
    await worker.findsNothing()
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'a flow takes over the steps that were done and runs the others': async (stage) => {
    await stage.submit(
      flow('f', {
        joins: [{ id: 'f/*', size: 3, reports: slot('f') }],
        jobs: [
          { id: 'f/0', reports: slot('f/*', 0), done: '1"before"' },
          { id: 'f/1', reports: slot('f/*', 1) },
          {
            id: 'f/2',
            reports: slot('f/*', 2),
            done: '1"before"',
            due: { in: 60 * SECOND },
            expiresIn: SECOND,
          },
        ],
      }),
    )
    assert.deepEqual(await stage.states(['f', 'f/0', 'f/1', 'f/2']), [
      'active',
      'succeeded',
      'waiting',
      'succeeded',
    ])
    await stage.advance(120 * SECOND)
    await stage.sweep()
    assert.equal(await stage.state('f/2'), 'succeeded')
    const worker = await stage.worker()
    await worker.runs('f/1')
    await worker.findsNothing()
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'a released job that was done before lets the next go on in the same act': async (stage) => {
    const { jobs, joins } = chain('f', 6)
    const finished = new Set(['f/0', 'f/1', 'f/2', 'f/4'])
    const over = (step: (typeof jobs)[number]) =>
      finished.has(step.id) ? { ...step, done: '1"before"' } : step
    await stage.submit({
      jobs: jobs.map(over),
      joins: joins!.map((join) =>
        join.release ? { ...join, release: { jobs: join.release.jobs.map(over) } } : join,
      ),
    })
    const worker = await stage.worker()
    await worker.runs('f/3')
    assert.deepEqual(await stage.states(['f/4', 'f/5']), ['succeeded', 'waiting'])
    await worker.runs('f/5')
    await worker.findsNothing()
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'a flow whose steps were all done ends with its submission, however long it is': async (stage) => {
    const { jobs, joins } = chain('f', 2000)
    const over = (step: (typeof jobs)[number]) => ({ ...step, done: '1"before"' })
    await stage.submit({
      jobs: jobs.map(over),
      joins: joins!.map((join) =>
        join.release ? { ...join, release: { jobs: join.release.jobs.map(over) } } : join,
      ),
    })
    assert.deepEqual([await stage.state('f'), await stage.slots('f')], ['succeeded', { 0: 'f/1999' }])
    await (await stage.worker()).findsNothing()
  },

  'a step that was done changes nothing of what a later failure does': async (stage) => {
    const otherwise = job({ id: 'f/error', flow: 'f' })
    await stage.submit(
      flow('f', {
        root: { otherwise },
        joins: [{ id: 'f/*', size: 2, reports: slot('f') }],
        jobs: [
          { id: 'f/0', reports: slot('f/*', 0), done: '1"before"' },
          { id: 'f/1', reports: slot('f/*', 1) },
        ],
      }),
    )
    const worker = await stage.worker()
    await worker.runs('f/1', FAILED)
    await worker.runs('f/error')
    assert.equal(await stage.state('f'), 'failed')
  },
}
