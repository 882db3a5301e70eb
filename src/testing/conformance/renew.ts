import assert from 'node:assert/strict'
import { again, LEASE, single, singles } from './build.ts'
import type { Subject } from './stage.ts'

const ids = (deliveries: readonly { job: { id: string }; token: number }[]) =>
  deliveries.map(({ job, token }) => `${job.id}#${token}`).sort()

export const renew: Subject = {
  'a renewal carries progress up, the latest of it stands in the record': async (stage) => {
    await stage.submit(...singles('a', 2))
    const worker = await stage.worker()
    const [first, second] = await worker.takesAll(['a0', 'a1'])
    assert.deepEqual(
      await worker.consumer.renew([
        { delivery: first!, progress: '1[10,"reading"]' },
        { delivery: second!, progress: '1[20]' },
      ]),
      { cancel: [], lost: [] },
    )
    await worker.consumer.renew([{ delivery: first!, progress: '1[30]' }])
    assert.deepEqual([(await stage.job('a0')).progress, (await stage.job('a1')).progress], ['1[30]', '1[20]'])
  },

  'progress of a delivery that is no longer held is dropped': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const late = await stage.worker()
    const lost = await late.takes('a')
    await stage.advance(LEASE + 1)
    await stage.sweep()
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    await worker.consumer.renew([{ delivery, progress: '1[10]' }])
    await late.consumer.renew([{ delivery: lost, progress: '1[99]' }])
    assert.equal((await stage.job('a')).progress, '1[10]')
    await worker.finishes([delivery])
    await worker.consumer.renew([{ delivery, progress: '1[99]' }])
    assert.notEqual((await stage.job('a')).progress, '1[99]')
  },

  'a renewal reports deliveries that were lost, and only those': async (stage) => {
    await stage.submit(...singles('a', 3))
    const worker = await stage.worker()
    await worker.takesAll(['a0', 'a1'])
    await stage.advance(LEASE + 1)
    await stage.sweep()
    const kept = await worker.take(1)
    const { lost, cancel } = await worker.consumer.renew([])
    assert.deepEqual([ids(lost), cancel], [['a0#1', 'a1#1'], []])
    await worker.finishes(kept)
  },

  'a renewal reports as lost what another worker runs by now': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const late = await stage.worker()
    await late.takes('a')
    await stage.advance(LEASE + 1)
    await stage.sweep()
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    assert.deepEqual(ids((await late.consumer.renew([])).lost), ['a#1'])
    assert.deepEqual(await worker.consumer.renew([]), { cancel: [], lost: [] })
    await worker.finishes([delivery])
  },

  'a renewal reports held deliveries below a cancel mark, and only those': async (stage) => {
    await stage.submit(...singles('a', 3))
    const worker = await stage.worker()
    const [first, second] = await worker.takesAll(['a0', 'a1', 'a2'])
    const other = await stage.another()
    assert.deepEqual(await other.control.cancel(['a0']), ['cancelling'])
    const { cancel, lost } = await worker.consumer.renew([{ delivery: second!, progress: '1[1]' }])
    assert.deepEqual([ids(cancel), lost], [['a0#1'], []])
    await worker.finishes([first!])
    assert.deepEqual(await worker.consumer.renew([]), { cancel: [], lost: [] })
  },

  'a job that was finished or handed back is neither lost nor cancelled': async (stage) => {
    await stage.submit(...singles('a', 2))
    const worker = await stage.worker()
    const taken = await worker.takesAll(['a0', 'a1'])
    await worker.finishes([taken[0]!])
    await worker.finishes([taken[1]!], again())
    await (await stage.worker()).takes('a1')
    assert.deepEqual(await worker.consumer.renew([]), { cancel: [], lost: [] })
  },
}
