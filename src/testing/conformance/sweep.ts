import assert from 'node:assert/strict'
import { again, LEASE, SECOND, single, singles } from './build.ts'
import type { Subject } from './stage.ts'

export const sweep: Subject = {
  'a sweep with nothing to do moves nothing': async (stage) => {
    await stage.submit(single({ id: 'a' }), single({ id: 'b', due: { in: 60 * SECOND } }))
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    await stage.sweep()
    assert.equal((await stage.backend.sweep(100)).moved, 0)
    await worker.finishes([delivery])
    assert.equal((await stage.backend.sweep(100)).moved, 0)
  },

  'a sweep makes due jobs waiting and says when the next becomes due': async (stage) => {
    await stage.submit(
      single({ id: 'soon', due: { in: 10 * SECOND } }),
      single({ id: 'late', due: { in: 60 * SECOND } }),
    )
    const { nextDue } = await stage.backend.sweep(100)
    assert.ok(nextDue !== undefined && nextDue > 5 * SECOND && nextDue <= 10 * SECOND)
    await stage.advance(10 * SECOND)
    await stage.sweep()
    assert.deepEqual(await stage.states(['soon', 'late']), ['waiting', 'scheduled'])
    const then = (await stage.backend.sweep(100)).nextDue
    assert.ok(then !== undefined && then > 45 * SECOND && then <= 50 * SECOND)
  },

  'a sweep says when the next retry becomes due': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a', again(20 * SECOND))
    const { nextDue } = await stage.backend.sweep(100)
    assert.ok(nextDue !== undefined && nextDue > 15 * SECOND && nextDue <= 20 * SECOND)
  },

  'small sweeps come to the same end as one large one': async (stage) => {
    await stage.submit(
      ...singles('due', 7, { due: { in: SECOND } }),
      ...singles('gone', 7, { expiresIn: SECOND, queue: 'other' }),
      ...singles('held', 7),
    )
    const worker = await stage.worker()
    await worker.takesAll(singles('held', 7).map(({ jobs }) => jobs[0]!.id))
    await stage.advance(LEASE + 1)
    let rounds = 0
    while ((await stage.backend.sweep(2)).moved > 0) {
      assert.ok(++rounds < 100, 'Expected small sweeps to come to an end.')
    }
    const counts = await stage.backend.records.counts()
    assert.deepEqual(counts.map(({ queue, state, count }) => `${queue} ${state} ${count}`).sort(), [
      'default waiting 14',
      'other expired 7',
    ])
  },

  'sweeps through several handles at once move each job once': async (stage) => {
    await stage.submit(...singles('a', 30))
    const worker = await stage.worker()
    const ids = singles('a', 30).map(({ jobs }) => jobs[0]!.id)
    await worker.takesAll(ids)
    await stage.advance(LEASE + 1)
    const handles = [stage.backend, await stage.another(), await stage.another()]
    await Promise.all(handles.map((handle) => stage.sweep(handle)))
    for (const id of ids) {
      const { crashes, attempts, state } = await stage.job(id)
      assert.deepEqual([crashes, attempts.length, state], [1, 1, 'waiting'])
    }
    const other = await stage.worker({ queues: { default: 1 } })
    assert.equal((await other.take()).length, 1)
  },

  'any handle may sweep for any worker, at any time': async (stage) => {
    const other = await stage.another()
    await stage.submit(...singles('a', 4))
    const worker = await stage.worker()
    const waiting = worker.takesAll(['a0', 'a1', 'a2', 'a3'])
    const sweeps = Array.from({ length: 5 }, () => other.sweep(1))
    await Promise.all([waiting, ...sweeps])
    await worker.finishes(await waiting)
  },
}
