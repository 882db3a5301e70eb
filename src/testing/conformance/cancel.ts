import assert from 'node:assert/strict'
import { again, BACK, CANCELLED, FAILED, LEASE, SECOND, SUCCEEDED, single, singles } from './build.ts'
import type { Stage, Subject } from './stage.ts'

const cancelled = (stage: Stage, id: string) => stage.backend.control.cancel([id])

/** A job that is running and marked, and who runs it. */
async function running(stage: Stage) {
  await stage.submit(single({ id: 'a' }))
  const worker = await stage.worker()
  const delivery = await worker.takes('a')
  assert.deepEqual(await cancelled(stage, 'a'), ['cancelling'])
  return { worker, delivery }
}

export const cancel: Subject = {
  'a waiting job is cancelled at once and never handed out': async (stage) => {
    await stage.submit(...singles('a', 3))
    assert.deepEqual(await cancelled(stage, 'a1'), ['cancelled'])
    const { state, code, cancelling, ended } = await stage.job('a1')
    assert.deepEqual(
      { state, code, cancelling },
      { state: 'cancelled', code: 'CANCELLED', cancelling: false },
    )
    assert.ok(ended !== undefined)
    const worker = await stage.worker()
    await worker.takesAll(['a0', 'a2'])
    await worker.findsNothing()
  },

  'a scheduled job is cancelled at once and never becomes due': async (stage) => {
    await stage.submit(single({ id: 'a', due: { in: 10 * SECOND } }))
    assert.deepEqual(await cancelled(stage, 'a'), ['cancelled'])
    assert.equal(await stage.state('a'), 'cancelled')
    await stage.advance(11 * SECOND)
    await stage.sweep()
    await (await stage.worker()).findsNothing()
    assert.equal(await stage.state('a'), 'cancelled')
  },

  'a retrying job is cancelled at once, with its history': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a', again(10 * SECOND, true, '1"first"'))
    assert.deepEqual(await cancelled(stage, 'a'), ['cancelled'])
    await stage.advance(11 * SECOND)
    await stage.sweep()
    await worker.findsNothing()
    const { state, attempts } = await stage.job('a')
    assert.deepEqual([state, attempts.map(({ error }) => error)], ['cancelled', ['1"first"']])
  },

  'a running job reads as active and cancelling until it ends': async (stage) => {
    const { worker, delivery } = await running(stage)
    const { state, cancelling } = await stage.job('a')
    assert.deepEqual([state, cancelling], ['active', true])
    await worker.finishes([delivery], CANCELLED)
    const after = await stage.job('a')
    assert.deepEqual([after.state, after.cancelling, after.result], ['cancelled', false, '1"stopped"'])
  },

  'a running job’s own success is recorded under a cancel mark': async (stage) => {
    const { worker, delivery } = await running(stage)
    await worker.finishes([delivery], SUCCEEDED)
    const { state, result, code } = await stage.job('a')
    assert.deepEqual([state, result, code], ['succeeded', '1"done"', undefined])
  },

  'a running job’s own failure is recorded under a cancel mark': async (stage) => {
    const { worker, delivery } = await running(stage)
    await worker.finishes([delivery], FAILED)
    assert.deepEqual([await stage.state('a'), (await stage.job('a')).result], ['failed', '1"broken"'])
  },

  'a retry of a cancelled job ends it as cancelled': async (stage) => {
    const { worker, delivery } = await running(stage)
    await worker.finishes([delivery], again(0))
    assert.deepEqual([await stage.state('a'), (await stage.job('a')).code], ['cancelled', 'CANCELLED'])
    await worker.findsNothing()
  },

  'handing a cancelled job back ends it as cancelled': async (stage) => {
    const { worker, delivery } = await running(stage)
    await worker.finishes([delivery], BACK)
    assert.deepEqual([await stage.state('a'), (await stage.job('a')).code], ['cancelled', 'CANCELLED'])
    await worker.findsNothing()
  },

  'the loss of a cancelled job’s worker ends it as cancelled': async (stage) => {
    const { worker, delivery } = await running(stage)
    await stage.advance(LEASE + 1)
    await stage.sweep()
    assert.deepEqual([await stage.state('a'), (await stage.job('a')).code], ['cancelled', 'CANCELLED'])
    assert.equal(await worker.ends(delivery, SUCCEEDED), 'stale')
    await worker.findsNothing()
  },

  'a job that has ended stays as it is': async (stage) => {
    await stage.submit(...singles('a', 2))
    const worker = await stage.worker()
    await worker.runs('a0')
    await worker.runs('a1', FAILED)
    assert.deepEqual(await stage.backend.control.cancel(['a0', 'a1']), ['final', 'final'])
    assert.deepEqual(await stage.states(['a0', 'a1']), ['succeeded', 'failed'])
  },

  'cancel is idempotent, and answers for each id in order': async (stage) => {
    await stage.submit(...singles('a', 2))
    const worker = await stage.worker()
    const delivery = await worker.takes('a0')
    const ids = ['nobody', 'a1', 'a0', 'a1']
    assert.deepEqual(await stage.backend.control.cancel(ids), ['unknown', 'cancelled', 'cancelling', 'final'])
    assert.deepEqual(await stage.backend.control.cancel(ids), ['unknown', 'final', 'cancelling', 'final'])
    await worker.finishes([delivery], CANCELLED)
    assert.deepEqual(await cancelled(stage, 'a0'), ['final'])
    assert.deepEqual(await stage.backend.control.cancel([]), [])
  },

  'cancel may come from any handle': async (stage) => {
    await stage.submit(...singles('a', 2))
    const worker = await stage.worker()
    await worker.takes('a0')
    const other = await stage.another()
    assert.deepEqual(await other.control.cancel(['a0', 'a1']), ['cancelling', 'cancelled'])
    const { cancel } = await worker.consumer.renew([])
    assert.deepEqual(
      cancel.map(({ job }) => job.id),
      ['a0'],
    )
    await worker.findsNothing()
  },

  'a cancelled job’s id stays taken as long as its record exists': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    await cancelled(stage, 'a')
    assert.equal(await stage.receipt(single({ id: 'a' })), 'duplicate')
  },
}
