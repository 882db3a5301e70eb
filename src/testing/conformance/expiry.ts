import assert from 'node:assert/strict'
import { again, BACK, flow, group, job, LEASE, SECOND, single, slot } from './build.ts'
import type { Subject } from './stage.ts'

export const expiry: Subject = {
  'a job that has not started in time reads as expired from that time on': async (stage) => {
    await stage.submit(single({ id: 'a', expiresIn: 10 * SECOND }))
    await stage.advance(5 * SECOND)
    assert.equal(await stage.state('a'), 'waiting')
    await stage.advance(6 * SECOND)
    assert.equal(await stage.state('a'), 'expired')
    assert.equal((await stage.job('a')).code, 'EXPIRED')
    await stage.sweep()
    const { state, code, ended, result } = await stage.job('a')
    assert.deepEqual({ state, code, result }, { state: 'expired', code: 'EXPIRED', result: undefined })
    assert.ok(ended !== undefined)
  },

  'an expired job is not handed out, not even before a sweep': async (stage) => {
    await stage.submit(single({ id: 'a', expiresIn: 10 * SECOND }), single({ id: 'b' }))
    await stage.advance(11 * SECOND)
    const worker = await stage.worker()
    await worker.takes('b')
    await worker.findsNothing()
    await stage.sweep()
    await worker.findsNothing()
    assert.equal(await stage.state('a'), 'expired')
  },

  'the time to start counts from when the job is first due': async (stage) => {
    await stage.submit(single({ id: 'a', due: { in: 60 * SECOND }, expiresIn: 10 * SECOND }))
    await stage.advance(61 * SECOND)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'waiting')
    await stage.advance(10 * SECOND)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'expired')
  },

  'a delayed job that no sweep saw in time is expired, not late': async (stage) => {
    await stage.submit(single({ id: 'a', due: { in: 60 * SECOND }, expiresIn: 10 * SECOND }))
    await stage.advance(90 * SECOND)
    const worker = await stage.worker()
    await worker.findsNothing()
    await stage.sweep()
    await worker.findsNothing()
    assert.equal(await stage.state('a'), 'expired')
  },

  'a job that has started does not expire, while it runs or when it runs again': async (stage) => {
    const expiresIn = 10 * SECOND
    await stage.submit(...['runs', 'retries', 'back', 'lost'].map((id) => single({ id, expiresIn })))
    const worker = await stage.worker()
    const [runs, retries, back, lost] = await worker.takesAll(['runs', 'retries', 'back', 'lost'])
    await worker.finishes([retries!], again(60 * SECOND))
    await worker.finishes([back!], BACK)
    await stage.advance(11 * SECOND)
    await worker.consumer.renew([])
    await stage.sweep()
    assert.deepEqual(await stage.states(['runs', 'retries', 'back', 'lost']), [
      'active',
      'retrying',
      'waiting',
      'active',
    ])
    await worker.finishes([runs!])
    await stage.advance(60 * SECOND)
    await stage.sweep()
    assert.deepEqual(await stage.states(['retries', 'lost']), ['waiting', 'waiting'])
    assert.equal(await worker.ends(lost!, BACK), 'stale')
    await (await stage.worker()).takesAll(['back', 'lost', 'retries'])
  },

  'a job that expires while its queue is idle does not wake or hold up a take': async (stage) => {
    const worker = await stage.worker()
    await stage.submit(single({ id: 'a', priority: 9, expiresIn: SECOND }))
    await stage.advance(2 * SECOND)
    await stage.submit(single({ id: 'b' }))
    await worker.takes('b')
  },

  'an expired member arrives badly at its join': async (stage) => {
    const otherwise = job({ id: 'f/error', flow: 'f', queue: 'errors' })
    await stage.submit(group('f', 2, { join: { otherwise }, member: { expiresIn: 60 * SECOND } }))
    const worker = await stage.worker()
    await worker.runs('f/0')
    await stage.advance(61 * SECOND)
    await stage.sweep()
    assert.deepEqual(await stage.states(['f/1', 'f']), ['expired', 'failed'])
    assert.deepEqual(await stage.slots('f/*'), { 0: 'f/0', 1: '!f/1' })
    await (await stage.worker({ queues: { errors: 1 } })).runs('f/error')
  },

  'the time to start of a released job counts from its release': async (stage) => {
    const next = job({ id: 'f/next', flow: 'f', reports: slot('f'), expiresIn: 10 * SECOND })
    await stage.submit(
      flow('f', {
        joins: [{ id: 'f/0>', size: 1, reports: slot('f'), release: { jobs: [next] } }],
        jobs: [{ id: 'f/0', reports: slot('f/0>') }],
      }),
    )
    await stage.advance(60 * SECOND)
    const worker = await stage.worker()
    await worker.runs('f/0')
    await stage.advance(5 * SECOND)
    await stage.sweep()
    assert.equal(await stage.state('f/next'), 'waiting')
    await stage.advance(6 * SECOND)
    await stage.sweep()
    assert.deepEqual(await stage.states(['f/next', 'f']), ['expired', 'failed'])
  },

  'commands see an expired job as readers do, before any sweep': async (stage) => {
    await stage.submit(single({ id: 'a', expiresIn: SECOND }), single({ id: 'b', expiresIn: SECOND }))
    await stage.advance(2 * SECOND)
    assert.deepEqual(await stage.backend.control.cancel(['a']), ['final'])
    assert.deepEqual(await stage.backend.control.retry(['b']), ['waiting'])
    await stage.sweep()
    assert.deepEqual(await stage.states(['a', 'b']), ['expired', 'waiting'])
    await (await stage.worker()).runs('b')
  },

  'an expired job that is queued again by hand does not expire again': async (stage) => {
    await stage.submit(single({ id: 'a', expiresIn: SECOND }))
    await stage.advance(LEASE)
    await stage.sweep()
    assert.deepEqual(await stage.backend.control.retry(['a']), ['waiting'])
    await stage.sweep()
    assert.equal(await stage.state('a'), 'waiting')
    await (await stage.worker()).runs('a')
  },
}
