import assert from 'node:assert/strict'
import type { JobState } from '../../port/index.ts'
import { again, DAY, HOUR, SECOND, single } from './build.ts'
import type { Subject } from './stage.ts'

const near = (actual: number | undefined, expected: number) =>
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) < 5 * SECOND,
    `Expected about ${expected}, got ${actual}.`,
  )

export const clock: Subject = {
  'the offset of the clock holds for every handle of the namespace': async (stage) => {
    const other = await stage.another()
    const before = (await other.sweep(1)).now
    await stage.backend.control.shiftClock(DAY)
    near((await other.sweep(1)).now, before + DAY)
    near((await (await stage.another()).sweep(1)).now, before + DAY)
  },

  'the offset is set, not added': async (stage) => {
    const before = (await stage.backend.sweep(1)).now
    await stage.backend.control.shiftClock(HOUR)
    await stage.backend.control.shiftClock(2 * HOUR)
    near((await stage.backend.sweep(1)).now, before + 2 * HOUR)
    await stage.backend.control.shiftClock(0)
    near((await stage.backend.sweep(1)).now, before)
  },

  'the offset of one namespace leaves the others alone': async (stage) => {
    const other = await stage.elsewhere()
    const before = (await other.sweep(1)).now
    await stage.backend.control.shiftClock(DAY)
    near((await other.sweep(1)).now, before)
  },

  'a delayed job is scheduled until it is due by the backend’s clock': async (stage) => {
    await stage.submit(single({ id: 'a', due: { in: HOUR } }))
    const { state, due, next, created } = await stage.job('a')
    assert.equal(state, 'scheduled')
    near(due, created + HOUR)
    near(next, created + HOUR)
    const worker = await stage.worker()
    await worker.findsNothing()
    await stage.advance(HOUR - 10 * SECOND)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'scheduled')
    await worker.findsNothing()
    await stage.advance(11 * SECOND)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'waiting')
    await worker.runs('a')
  },

  'a job that is due reads as waiting, before a take or a sweep has seen to it': async (stage) => {
    await stage.submit(
      single({ id: 'failing' }),
      single({ id: 'delayed', due: { in: HOUR } }),
      single({ id: 'later', due: { in: DAY } }),
    )
    const worker = await stage.worker()
    // Due after the delayed one, though all of this may take less than a millisecond.
    await worker.runs('failing', again(HOUR + 1))
    await stage.advance(HOUR + SECOND)
    assert.deepEqual(await stage.states(['failing', 'delayed', 'later']), ['waiting', 'waiting', 'scheduled'])
    assert.equal((await stage.job('delayed')).next, undefined)
    const { records } = stage.backend
    const listed = async (state: JobState) =>
      (await records.list({ state }, 10)).jobs.map((found) => `${found.job.id} ${found.state}`).sort()
    assert.deepEqual(await listed('waiting'), ['delayed waiting', 'failing waiting'])
    assert.deepEqual(await listed('scheduled'), ['later scheduled'])
    assert.deepEqual(await listed('retrying'), [])
    assert.deepEqual((await records.counts()).map(({ state, count }) => `${state} ${count}`).sort(), [
      'scheduled 1',
      'waiting 2',
    ])
    await worker.takesAll(['delayed', 'failing'])
  },

  'a job with a time to start at is due then, or at once when that is past': async (stage) => {
    const { now } = await stage.backend.sweep(1)
    await stage.submit(
      single({ id: 'past', due: { at: now - HOUR } }),
      single({ id: 'ahead', due: { at: now + HOUR } }),
      single({ id: 'zero', due: { in: 0 } }),
    )
    assert.deepEqual(await stage.states(['past', 'ahead', 'zero']), ['waiting', 'scheduled', 'waiting'])
    const worker = await stage.worker()
    await worker.finishes(await worker.takesAll(['past', 'zero']))
    await worker.findsNothing()
    await stage.advance(HOUR + SECOND)
    await stage.sweep()
    await worker.takes('ahead')
  },

  'records tell times by the backend’s clock': async (stage) => {
    await stage.advance(30 * DAY)
    const { now } = await stage.backend.sweep(1)
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a')
    const { created, due, started, ended } = await stage.job('a')
    for (const time of [created, due, started, ended]) near(time, now)
  },
}
