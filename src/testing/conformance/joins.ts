import assert from 'node:assert/strict'
import {
  again,
  BACK,
  chain,
  chord,
  FAILED,
  flow,
  group,
  job,
  LEASE,
  outcome,
  SUCCEEDED,
  slot,
} from './build.ts'
import type { Subject } from './stage.ts'

export const joins: Subject = {
  'a join’s release is queued once all its slots are filled well, and the flow ends with it': async (
    stage,
  ) => {
    await stage.submit(chord('f', 3))
    const worker = await stage.worker()
    await worker.runs('f/0')
    await worker.runs('f/1')
    assert.deepEqual(await stage.states(['f', 'f/body']), ['active', 'unknown'])
    await worker.runs('f/2')
    assert.deepEqual([await stage.state('f/body'), (await stage.join('f/*')).state], ['waiting', 'succeeded'])
    await worker.runs('f/body')
    await worker.findsNothing()
    const { state, ended } = await stage.flow('f')
    assert.equal(state, 'succeeded')
    assert.ok(ended !== undefined)
    assert.deepEqual(await stage.slots('f'), { 0: 'f/body' })
  },

  'the end of a job, its slot and what follows are one act': async (stage) => {
    await stage.submit(chain('f', 2), group('g', 1))
    const worker = await stage.worker()
    const [step, member] = await worker.takesAll(['f/0', 'g/0'])
    await worker.consumer.finish([outcome(step!, SUCCEEDED), outcome(member!, FAILED)])
    assert.deepEqual(await stage.states(['f/0', 'f/1', 'f', 'g/0', 'g']), [
      'succeeded',
      'waiting',
      'active',
      'failed',
      'failed',
    ])
  },

  'slots stand by index and name who filled them, whatever the order of finishing': async (stage) => {
    await stage.submit(group('f', 4))
    const worker = await stage.worker()
    const taken = await worker.takesAll(['f/0', 'f/1', 'f/2', 'f/3'])
    for (const i of [2, 0, 3, 1]) await worker.finishes([taken[i]!])
    assert.deepEqual(await stage.backend.records.slots('f/*', 0, 10), [
      { index: 0, ok: true, by: 'f/0' },
      { index: 1, ok: true, by: 'f/1' },
      { index: 2, ok: true, by: 'f/2' },
      { index: 3, ok: true, by: 'f/3' },
    ])
    assert.deepEqual(await stage.slots('f'), { 0: 'f/*' })
  },

  'members that end in one batch of outcomes release once': async (stage) => {
    await stage.submit(chord('f', 5))
    const worker = await stage.worker()
    await worker.finishes(await worker.takesAll(['f/0', 'f/1', 'f/2', 'f/3', 'f/4']))
    await worker.runs('f/body')
    await worker.findsNothing()
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'members that end on several handles at once release once': async (stage) => {
    await stage.submit(chord('f', 30))
    const workers = [await stage.worker(), await stage.worker({}, await stage.another())]
    const taken = await Promise.all(workers.map((worker) => worker.takeSome(15)))
    await Promise.all(
      workers.flatMap((worker, w) => taken[w]!.map((delivery) => worker.finishes([delivery]))),
    )
    await workers[0]!.runs('f/body')
    await workers[0]!.findsNothing()
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'a retry, a hand-back and a lost worker are no arrival': async (stage) => {
    await stage.submit(chord('f', 1))
    const worker = await stage.worker()
    await worker.runs('f/0', again())
    await worker.runs('f/0', BACK)
    await worker.takes('f/0')
    await stage.advance(LEASE + 1)
    await stage.sweep()
    assert.deepEqual(await stage.slots('f/*'), {})
    assert.deepEqual(await stage.states(['f', 'f/body']), ['active', 'unknown'])
    await worker.runs('f/0')
    await worker.runs('f/body')
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'finishes that are repeated or too late count once': async (stage) => {
    await stage.submit(chord('f', 3))
    const late = await stage.worker()
    const lost = await late.takesAll(['f/0', 'f/1'])
    await stage.advance(LEASE + 1)
    await stage.sweep()
    const worker = await stage.worker()
    await worker.runs('f/0')
    const delivery = await worker.takes('f/1')
    await worker.finishes([delivery])
    for (const end of [SUCCEEDED, FAILED]) {
      for (const each of lost) assert.equal(await late.ends(each, end), 'stale')
      assert.equal(await worker.ends(delivery, end), 'stale')
    }
    assert.deepEqual(await stage.states(['f', 'f/body']), ['active', 'unknown'])
    assert.deepEqual(await stage.slots('f/*'), { 0: 'f/0', 1: 'f/1' })
    await worker.runs('f/2')
    await worker.runs('f/body')
    await worker.findsNothing()
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'the first write to a slot wins, and a second one counts for nothing': async (stage) => {
    const two = { joins: [{ id: 'f/*', size: 2, reports: slot('f') }] }
    await stage.submit(
      flow('f', {
        ...two,
        jobs: [
          { id: 'f/a', reports: slot('f/*', 0) },
          { id: 'f/b', reports: slot('f/*', 0) },
          { id: 'f/c', reports: slot('f/*', 1) },
        ],
      }),
    )
    const worker = await stage.worker()
    await worker.runs('f/a')
    await worker.runs('f/b', FAILED)
    assert.deepEqual(await stage.slots('f/*'), { 0: 'f/a' })
    assert.equal(await stage.state('f'), 'active')
    await worker.runs('f/c')
    assert.equal(await stage.state('f'), 'succeeded')
  },

  'a chain runs one step after the other, and its edges carry who came before': async (stage) => {
    await stage.submit(chain('f', 3))
    const worker = await stage.worker()
    for (let i = 0; i < 3; i++) {
      const delivery = await worker.takes(`f/${i}`)
      await worker.findsNothing()
      assert.equal(await stage.state('f'), 'active')
      await worker.finishes([delivery])
    }
    assert.equal(await stage.state('f'), 'succeeded')
    assert.deepEqual(
      [await stage.slots('f/0>'), await stage.slots('f/1>'), await stage.slots('f')],
      [{ 0: 'f/0' }, { 0: 'f/1' }, { 0: 'f/2' }],
    )
  },

  'a chain that fails at a step runs none after it and ends at once': async (stage) => {
    await stage.submit(chain('f', 4))
    const worker = await stage.worker()
    await worker.runs('f/0')
    await worker.runs('f/1', FAILED)
    assert.deepEqual(await stage.states(['f', 'f/1', 'f/2', 'f/3']), [
      'failed',
      'failed',
      'unknown',
      'unknown',
    ])
    assert.deepEqual(await stage.slots('f'), { 0: '!f/1>' })
    await worker.findsNothing()
  },

  'a job beside what follows is queued once all is well, and changes nothing of it': async (stage) => {
    const beside = (id: string) => job({ id: `${id}/beside`, flow: id, queue: 'beside' })
    await stage.submit(
      chord('f', 1, { join: { besides: beside('f') } }),
      group('g', 1, { join: { besides: beside('g') } }),
      group('h', 1, { join: { besides: beside('h') } }),
    )
    const worker = await stage.worker()
    const [first, second, third] = await worker.takesAll(['f/0', 'g/0', 'h/0'])
    await (await stage.worker({ queues: { beside: 1 } })).findsNothing()
    await worker.finishes([first!, second!])
    await worker.finishes([third!], FAILED)
    assert.deepEqual(await stage.states(['f', 'g', 'h']), ['active', 'succeeded', 'failed'])
    const other = await stage.worker({ queues: { beside: 1 } })
    await other.finishes(await other.takesAll(['f/beside', 'g/beside']), FAILED)
    await other.findsNothing()
    await worker.runs('f/body')
    assert.deepEqual(await stage.states(['f', 'g', 'h/beside']), ['succeeded', 'succeeded', 'unknown'])
  },

  'a release may hold many jobs, and each may go to its own queue with its own options': async (stage) => {
    const jobs = [
      job({ id: 'f/b0', flow: 'f', reports: slot('f/**', 0), queue: 'red', priority: 3 }),
      job({ id: 'f/b1', flow: 'f', reports: slot('f/**', 1), queue: 'blue' }),
      job({ id: 'f/b2', flow: 'f', reports: slot('f/**', 2), queue: 'red', due: { in: 60_000 } }),
    ]
    await stage.submit(
      flow('f', {
        joins: [
          { id: 'f/*', size: 1, release: { jobs } },
          { id: 'f/**', size: 3, reports: slot('f') },
        ],
        jobs: [{ id: 'f/a', reports: slot('f/*') }],
      }),
    )
    const worker = await stage.worker()
    await worker.runs('f/a')
    assert.deepEqual(await stage.states(['f/b0', 'f/b1', 'f/b2']), ['waiting', 'waiting', 'scheduled'])
    const red = await stage.worker({ queues: { red: 1 } })
    await red.runs('f/b0')
    await (await stage.worker({ queues: { blue: 1 } })).runs('f/b1')
    await stage.advance(61_000)
    await stage.sweep()
    await red.runs('f/b2')
    assert.equal(await stage.state('f'), 'succeeded')
  },
}
