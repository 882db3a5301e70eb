import assert from 'node:assert/strict'
import { chord, job, single, singles, slot, succeeded } from './build.ts'
import type { Subject } from './stage.ts'

const keepNothing = { succeeded: 0, failed: 0 }

export const submit: Subject = {
  'a submitted job waits in its queue and can be read by its id': async (stage) => {
    const given = job({
      id: 'a',
      task: 'mail',
      queue: 'post',
      body: '1{"to":"x"}',
      priority: 4,
      notify: 'p1',
    })
    assert.deepEqual(await stage.backend.submit([{ jobs: [given] }]), [{ id: 'a', status: 'accepted' }])
    const { kind, job: kept, state, attempt, crashes, cancelling, attempts } = await stage.job('a')
    assert.deepEqual(
      { kind, state, attempt, crashes, cancelling, attempts },
      { kind: 'job', state: 'waiting', attempt: 1, crashes: 0, cancelling: false, attempts: [] },
    )
    assert.deepEqual(
      { id: kept.id, task: kept.task, queue: kept.queue, body: kept.body, priority: kept.priority },
      { id: 'a', task: 'mail', queue: 'post', body: '1{"to":"x"}', priority: 4 },
    )
    assert.deepEqual(kept.keep, given.keep)
  },

  'a body comes back as it was given, character by character': async (stage) => {
    const bodies = [
      '1"quote\'s"',
      '1"\u0000\u001f"',
      '1"snow ☃ and 𝕏"',
      '1{"__proto__":1}',
      `1"${'x'.repeat(500_000)}"`,
    ]
    await stage.submit(...bodies.map((body, i) => single({ id: `b${i}`, body })))
    const worker = await stage.worker()
    const taken = await worker.takesAll(bodies.map((_, i) => `b${i}`))
    assert.ok(taken.every((delivery, i) => delivery.job.body === bodies[i]))
    for (const [i, delivery] of taken.entries()) await worker.finishes([delivery], succeeded(bodies[i]))
    for (const [i, body] of bodies.entries()) assert.ok((await stage.job(`b${i}`)).result === body)
  },

  'receipts come one each, in the order of the batch': async (stage) => {
    await stage.submit(single({ id: 'b' }))
    assert.deepEqual(
      await stage.backend.submit([single({ id: 'c' }), single({ id: 'b' }), single({ id: 'a' })]),
      [
        { id: 'c', status: 'accepted' },
        { id: 'b', status: 'duplicate' },
        { id: 'a', status: 'accepted' },
      ],
    )
    assert.deepEqual(await stage.states(['a', 'b', 'c']), ['waiting', 'waiting', 'waiting'])
  },

  'an empty batch gives no receipts': async (stage) => {
    assert.deepEqual(await stage.backend.submit([]), [])
  },

  'an id that exists is a duplicate, and the first one stays as it was': async (stage) => {
    await stage.submit(single({ id: 'a', body: '1"first"' }))
    assert.equal(await stage.receipt(single({ id: 'a', body: '1"second"', queue: 'other' })), 'duplicate')
    const worker = await stage.worker({ queues: { default: 1, other: 1 } })
    assert.equal((await worker.takes('a')).job.body, '1"first"')
    await worker.findsNothing()
  },

  'the same id twice in one batch makes one job': async (stage) => {
    const receipts = await stage.backend.submit([
      single({ id: 'a', body: '1"first"' }),
      single({ id: 'a', body: '1"second"' }),
    ])
    assert.deepEqual(
      receipts.map((receipt) => receipt.status),
      ['accepted', 'duplicate'],
    )
    const worker = await stage.worker()
    assert.equal((await worker.takes('a')).job.body, '1"first"')
    await worker.findsNothing()
  },

  'of two handles that submit one id at the same time, one is accepted': async (stage) => {
    const other = await stage.another()
    const batches = await Promise.all(
      [stage.backend, other].map((backend) => backend.submit(singles('j', 50))),
    )
    for (let i = 0; i < 50; i++) {
      const statuses = batches.map((receipts) => receipts[i]!.status).sort()
      assert.deepEqual(statuses, ['accepted', 'duplicate'])
    }
    const [count] = await stage.backend.records.counts()
    assert.deepEqual(count, { queue: 'default', state: 'waiting', count: 50 })
  },

  'an id stays taken as long as its record exists, whatever became of the job': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    assert.equal(await stage.receipt(single({ id: 'a' })), 'duplicate')
    await worker.finishes([delivery])
    assert.equal(await stage.receipt(single({ id: 'a' })), 'duplicate')
    assert.equal(await stage.state('a'), 'succeeded')
    await worker.findsNothing()
  },

  'with keep 0 an id is a duplicate until its job has ended, and is accepted anew after that': async (
    stage,
  ) => {
    const once = single({ id: 'a', keep: keepNothing })
    await stage.submit(once)
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    assert.equal(await stage.receipt(once), 'duplicate')
    await worker.finishes([delivery])
    assert.equal(await stage.state('a'), 'unknown')
    assert.equal(await stage.receipt(once), 'accepted')
    await worker.runs('a')
  },

  'a flow is one submission: its receipt has the id of its root join': async (stage) => {
    assert.deepEqual(await stage.backend.submit([chord('f', 2)]), [{ id: 'f', status: 'accepted' }])
    assert.deepEqual(await stage.states(['f', 'f/0', 'f/1', 'f/body']), [
      'active',
      'waiting',
      'waiting',
      'unknown',
    ])
    const { join, state, cancelling } = await stage.join('f/*')
    assert.deepEqual(
      [join.id, join.flow, join.size, join.reports, state, cancelling],
      ['f/*', 'f', 2, slot('f'), 'active', false],
    )
  },

  'a flow submitted again, in one batch, while it runs or after its end, makes nothing': async (stage) => {
    const receipts = await stage.backend.submit([chord('f', 2), chord('f', 2)])
    assert.deepEqual(
      receipts.map((receipt) => receipt.status),
      ['accepted', 'duplicate'],
    )
    const worker = await stage.worker()
    await worker.runs('f/0')
    assert.equal(await stage.receipt(chord('f', 2)), 'duplicate')
    await worker.runs('f/1')
    assert.equal(await stage.receipt(chord('f', 3)), 'duplicate')
    await worker.runs('f/body')
    assert.equal(await stage.receipt(chord('f', 2)), 'duplicate')
    assert.equal(await stage.state('f'), 'succeeded')
    await worker.findsNothing()
  },

  'a flow under the id of a job writes none of its jobs and joins': async (stage) => {
    await stage.submit(single({ id: 'f' }))
    assert.equal(await stage.receipt(chord('f', 2)), 'duplicate')
    assert.deepEqual(await stage.states(['f', 'f/0', 'f/1']), ['waiting', 'unknown', 'unknown'])
    assert.deepEqual(await stage.backend.records.joins(['f', 'f/*']), [undefined, undefined])
  },

  'a job under the id of a flow is a duplicate': async (stage) => {
    await stage.submit(chord('f', 2))
    assert.equal(await stage.receipt(single({ id: 'f' })), 'duplicate')
    assert.equal((await stage.flow('f')).kind, 'flow')
    const worker = await stage.worker()
    await worker.takesAll(['f/0', 'f/1'])
    await worker.findsNothing()
  },

  'a duplicate flow keeps nothing of its neighbours out': async (stage) => {
    await stage.submit(chord('f', 1))
    const receipts = await stage.backend.submit([single({ id: 'a' }), chord('f', 1), chord('g', 1)])
    assert.deepEqual(
      receipts.map((receipt) => receipt.status),
      ['accepted', 'duplicate', 'accepted'],
    )
    const worker = await stage.worker()
    await worker.takesAll(['f/0', 'a', 'g/0'])
  },
}
