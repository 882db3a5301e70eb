import assert from 'node:assert/strict'
import {
  again,
  BACK,
  CANCELLED,
  FAILED,
  LEASE,
  outcome,
  SUCCEEDED,
  single,
  singles,
  succeeded,
} from './build.ts'
import type { Stage, Subject } from './stage.ts'
import type { Worker } from './worker.ts'

const everyEnd = { SUCCEEDED, FAILED, CANCELLED, again: again(), uncounted: again(0, false), BACK }

/** A worker's delivery of `id`, lost since: its lease lapsed and a sweep took its jobs. */
async function lost(stage: Stage, id: string) {
  const worker = await stage.worker()
  const delivery = await worker.takes(id)
  await stage.advance(LEASE + 1)
  await stage.sweep()
  return { worker, delivery }
}

/** Every kind of outcome is stale, and leaves the record as it is. */
async function refused(stage: Stage, { worker, delivery }: Awaited<ReturnType<typeof lost>>) {
  const before = await stage.job(delivery.job.id)
  for (const [name, end] of Object.entries(everyEnd)) {
    assert.equal(await worker.ends(delivery, end), 'stale', `Expected "${name}" to be stale.`)
  }
  assert.deepEqual(await stage.job(delivery.job.id), before)
}

export const fence: Subject = {
  'a worker that lost its job can write nothing while it waits': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    await refused(stage, await lost(stage, 'a'))
    assert.equal(await stage.state('a'), 'waiting')
  },

  'a worker that lost its job can write nothing while another runs it': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const late = await lost(stage, 'a')
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    await refused(stage, late)
    assert.equal(await stage.state('a'), 'active')
    await worker.finishes([delivery])
    assert.equal(await stage.state('a'), 'succeeded')
  },

  'a worker that lost its job can write nothing after another’s end of it': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const late = await lost(stage, 'a')
    await (await stage.worker()).runs('a', succeeded('1"by the other"'))
    await refused(stage, late)
    assert.equal((await stage.job('a')).result, '1"by the other"')
  },

  'a worker that took its own lost job again can finish the new delivery only': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const late = await lost(stage, 'a')
    const delivery = await late.worker.takes('a')
    await refused(stage, late)
    await late.worker.finishes([delivery])
  },

  'a finish that is sent twice is applied once': async (stage) => {
    await stage.submit(...singles('a', 2))
    const worker = await stage.worker()
    const [first, second] = await worker.takesAll(['a0', 'a1'])
    await worker.finishes([first!])
    await refused(stage, { worker, delivery: first! })
    assert.deepEqual(await worker.consumer.finish([outcome(second!, SUCCEEDED), outcome(second!, FAILED)]), [
      'applied',
      'stale',
    ])
    assert.equal(await stage.state('a1'), 'succeeded')
  },

  'an outcome that is not final is applied once, too': async (stage) => {
    await stage.submit(...singles('a', 2))
    const worker = await stage.worker()
    const [first, second] = await worker.takesAll(['a0', 'a1'])
    const twice = await worker.consumer.finish([
      outcome(first!, again()),
      outcome(first!, again()),
      outcome(second!, BACK),
      outcome(second!, again()),
    ])
    assert.deepEqual(twice, ['applied', 'stale', 'applied', 'stale'])
    assert.deepEqual([(await stage.job('a0')).attempt, (await stage.job('a1')).attempt], [2, 1])
  },

  'a stale outcome keeps none of its batch out': async (stage) => {
    await stage.submit(...singles('a', 3))
    const worker = await stage.worker()
    const [first, second, third] = await worker.takesAll(['a0', 'a1', 'a2'])
    await worker.finishes([second!], BACK)
    assert.deepEqual(
      await worker.consumer.finish([first!, second!, third!].map((delivery) => outcome(delivery, SUCCEEDED))),
      ['applied', 'stale', 'applied'],
    )
    assert.deepEqual(await stage.states(['a0', 'a1', 'a2']), ['succeeded', 'waiting', 'succeeded'])
  },

  'the token rises with every take and is never reset': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    const tokens: number[] = []
    for (const end of [BACK, again(), again(0, false), FAILED]) {
      const delivery = await worker.takes('a')
      tokens.push(delivery.token)
      await worker.finishes([delivery], end)
    }
    assert.deepEqual(await stage.backend.control.retry(['a']), ['waiting'])
    tokens.push((await worker.takes('a')).token)
    await stage.advance(LEASE + 1)
    await stage.sweep()
    tokens.push((await worker.takes('a')).token)
    assert.deepEqual(tokens, [1, 2, 3, 4, 5, 6])
  },

  'a delivery from before a manual retry is stale after it': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    await worker.finishes([delivery], FAILED)
    await stage.backend.control.retry(['a'])
    await refused(stage, { worker, delivery })
    await worker.takes('a')
    await refused(stage, { worker, delivery })
  },

  'a delivery is stale for a later job under the same id': async (stage) => {
    const once = single({ id: 'a', keep: { succeeded: 0, failed: 0 } })
    await stage.submit(once)
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    await worker.finishes([delivery])
    await stage.submit(once)
    await refused(stage, { worker, delivery })
    const other: Worker = await stage.worker()
    const later = await other.takes('a')
    await refused(stage, { worker, delivery })
    await other.finishes([later])
  },
}
