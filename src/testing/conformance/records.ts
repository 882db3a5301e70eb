import assert from 'node:assert/strict'
import { again, chord, FAILED, HOUR, KEEP, single, singles } from './build.ts'
import type { Subject } from './stage.ts'

export const records: Subject = {
  'records come in the order asked for, and undefined for what is unknown': async (stage) => {
    await stage.submit(single({ id: 'a' }), chord('f', 1))
    const found = await stage.backend.records.get(['f', 'nobody', 'a', 'f/0', 'f/body', 'a'])
    assert.deepEqual(
      found.map(
        (record) => record && (record.kind === 'flow' ? `flow ${record.id}` : `job ${record.job.id}`),
      ),
      ['flow f', undefined, 'job a', 'job f/0', undefined, 'job a'],
    )
    assert.deepEqual(await stage.backend.records.get([]), [])
  },

  'a flow’s record holds its outline, how long it is kept, and its times': async (stage) => {
    await stage.submit(chord('f', 1, { keep: { succeeded: HOUR, failed: 2 * HOUR } }))
    const { ended, created, ...rest } = await stage.flow('f')
    assert.deepEqual(rest, {
      kind: 'flow',
      id: 'f',
      outline: '1"outline"',
      keep: { succeeded: HOUR, failed: 2 * HOUR },
      state: 'active',
      cancelling: false,
    })
    assert.equal(ended, undefined)
    const worker = await stage.worker()
    await worker.runs('f/0')
    await worker.runs('f/body')
    const after = await stage.flow('f')
    assert.equal(after.state, 'succeeded')
    assert.ok(after.ended! >= created && after.created === created)
  },

  'a job’s record holds every field that it was submitted with': async (stage) => {
    await stage.submit(chord('f', 1))
    const { job } = await stage.job('f/0')
    assert.deepEqual(job.reports, { join: 'f/*', index: 0 })
    assert.deepEqual(
      [job.flow, job.task, job.queue, job.body, job.priority],
      ['f', 'work', 'default', '1null', 0],
    )
    assert.deepEqual(job.keep, KEEP)
    await stage.submit(single({ id: 'x', notify: 'n', expiresIn: HOUR, due: { in: HOUR } }))
    const other = (await stage.job('x')).job
    assert.deepEqual(
      [other.notify, other.expiresIn, other.flow, other.reports],
      ['n', HOUR, undefined, undefined],
    )
  },

  'a delivery holds the job as it was submitted': async (stage) => {
    await stage.submit(chord('f', 1), single({ id: 'x', notify: 'n', priority: 0, body: '1[1,2]' }))
    const worker = await stage.worker()
    const [member, other] = await worker.takesAll(['f/0', 'x'])
    const { id, flow, reports, task, queue } = member!.job
    assert.deepEqual(
      { id, flow, reports, task, queue },
      { id: 'f/0', flow: 'f', reports: { join: 'f/*', index: 0 }, task: 'work', queue: 'default' },
    )
    assert.deepEqual([other!.job.body, other!.job.notify], ['1[1,2]', 'n'])
  },

  'joins come in the order asked for, the root join among them': async (stage) => {
    await stage.submit(chord('f', 2))
    const found = await stage.backend.records.joins(['f/*', 'nobody', 'f', 'f/0'])
    assert.deepEqual(
      found.map(
        (join) => join && [join.join.id, join.join.flow, join.join.size, join.state, join.join.reports],
      ),
      [
        ['f/*', 'f', 2, 'active', { join: 'f', index: 0 }],
        undefined,
        ['f', 'f', 1, 'active', undefined],
        undefined,
      ],
    )
  },

  'counts tell jobs by queue and state': async (stage) => {
    await stage.submit(
      ...singles('a', 5, { queue: 'red' }),
      ...singles('b', 2, { queue: 'blue', due: { in: HOUR } }),
      chord('f', 2),
    )
    const worker = await stage.worker({ queues: { red: 1 } })
    await worker.runs('a0')
    await worker.runs('a1', FAILED)
    await worker.runs('a2', again(HOUR))
    await worker.takes('a3')
    await stage.backend.control.cancel(['b0'])
    const counts = await stage.backend.records.counts()
    assert.deepEqual(counts.map(({ queue, state, count }) => `${queue} ${state} ${count}`).sort(), [
      'blue cancelled 1',
      'blue scheduled 1',
      'default waiting 2',
      'red active 1',
      'red failed 1',
      'red retrying 1',
      'red succeeded 1',
      'red waiting 1',
    ])
  },

  'a backend says what it is, in which versions, and how its clock stands to this one': async (stage) => {
    const { backend, versions, clockSkew, warnings } = await stage.backend.diagnose()
    assert.ok(backend.length > 0)
    assert.ok(Object.values(versions).every((version) => typeof version === 'string'))
    assert.ok(Math.abs(clockSkew) < HOUR)
    assert.ok(Array.isArray(warnings))
  },
}
