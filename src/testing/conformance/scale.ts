import assert from 'node:assert/strict'
import { chain, chord, single } from './build.ts'
import type { Subject } from './stage.ts'

export const scale: Subject = {
  'a join of 2,000 members releases once, and its slots are read in pages': async (stage) => {
    const size = 2000
    await stage.submit(chord('f', size))
    const worker = await stage.worker()
    for (let done = 0; done < size; ) {
      const taken = await worker.take(250)
      await worker.finishes(taken)
      done += taken.length
    }
    await worker.runs('f/body')
    await worker.findsNothing()
    assert.equal(await stage.state('f'), 'succeeded')
    const members: string[] = []
    for (let page = 0; page < size; page += 500) {
      const arrivals = await stage.backend.records.slots('f/*', page, 500)
      assert.deepEqual([arrivals[0]?.index, arrivals.length], [page, 500])
      members.push(...arrivals.map(({ by }) => by))
    }
    assert.deepEqual(
      members,
      Array.from({ length: size }, (_, i) => `f/${i}`),
    )
    assert.deepEqual(await stage.backend.records.slots('f/*', size, 500), [])
  },

  'a page of slots begins where it is asked to, also when slots before it are open': async (stage) => {
    await stage.submit(chord('f', 10))
    const worker = await stage.worker()
    const taken = await worker.takesAll(Array.from({ length: 10 }, (_, i) => `f/${i}`))
    await worker.finishes([1, 4, 5, 9].map((i) => taken[i]!))
    const indexes = async (from: number, limit: number) =>
      (await stage.backend.records.slots('f/*', from, limit)).map(({ index }) => index)
    assert.deepEqual(await indexes(0, 10), [1, 4, 5, 9])
    assert.deepEqual(await indexes(2, 2), [4, 5])
    assert.deepEqual(await indexes(6, 10), [9])
    assert.deepEqual(await indexes(10, 10), [])
    assert.deepEqual(await stage.backend.records.slots('nobody', 0, 10), [])
  },

  'a chain of 500 edges runs to its end': async (stage) => {
    await stage.submit(chain('f', 501))
    const worker = await stage.worker()
    for (let i = 0; i <= 500; i++) await worker.runs(`f/${i}`)
    assert.deepEqual([await stage.state('f'), await stage.slots('f')], ['succeeded', { 0: 'f/500' }])
  },

  'a chain of 500 edges is cancelled from wherever it stands': async (stage) => {
    await stage.submit(chain('f', 501))
    const worker = await stage.worker()
    for (let i = 0; i < 5; i++) await worker.runs(`f/${i}`)
    assert.deepEqual(await stage.backend.control.cancel(['f']), ['cancelled'])
    assert.equal(await stage.state('f/5'), 'cancelled')
    await stage.sweep()
    assert.deepEqual(await stage.states(['f', 'f/5', 'f/6']), ['cancelled', 'cancelled', 'unknown'])
    await worker.findsNothing()
  },

  'a group of 10,000 members is accepted whole, read in pages and cancelled whole': async (stage) => {
    const size = 10_000
    await stage.submit(chord('f', size))
    assert.equal(await stage.receipt(chord('f', size)), 'duplicate')
    assert.deepEqual(await stage.backend.records.counts(), [
      { queue: 'default', state: 'waiting', count: size },
    ])
    const worker = await stage.worker()
    await worker.finishes(await worker.takeSome(100))
    const [answer] = await stage.backend.control.cancel(['f'])
    assert.ok(answer === 'cancelled' || answer === 'cancelling', `Expected a cancel, got "${answer}".`)
    assert.deepEqual(await stage.states(['f/0', `f/${size - 1}`]), ['succeeded', 'cancelled'])
    await stage.sweep()
    assert.equal(await stage.state('f'), 'cancelled')
    const arrivals = await stage.backend.records.slots('f/*', size - 500, 500)
    assert.deepEqual([arrivals.length, arrivals.every(({ ok }) => !ok)], [500, true])
    await worker.findsNothing()
  },

  'a batch of 1,000 submissions is accepted as one call, in order': async (stage) => {
    const batch = Array.from({ length: 1000 }, (_, i) => single({ id: `j${i}` }))
    const receipts = await stage.backend.submit(batch)
    assert.deepEqual(receipts[999], { id: 'j999', status: 'accepted' })
    assert.ok(receipts.every(({ id, status }, i) => id === `j${i}` && status === 'accepted'))
    const worker = await stage.worker()
    const seen: string[] = []
    while (seen.length < 1000) {
      const taken = await worker.take(200)
      seen.push(...taken.map(({ job }) => job.id))
      await worker.finishes(taken)
    }
    assert.deepEqual(
      seen,
      batch.map(({ jobs }) => jobs[0]!.id),
    )
  },
}
