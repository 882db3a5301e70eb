import assert from 'node:assert/strict'
import { FAILED, LEASE, outcome, SUCCEEDED, singles } from './build.ts'
import type { Subject } from './stage.ts'

const COUNT = 20
const ids = Array.from({ length: COUNT }, (_, i) => `a${i}`)

export const races: Subject = {
  'of a cancel and a take at the same time, each job sees one first': async (stage) => {
    await stage.submit(...singles('a', COUNT))
    const worker = await stage.worker()
    const other = await stage.another()
    await stage.submit(...singles('z', 1))
    const [answers, taken] = await Promise.all([other.control.cancel(ids), worker.take(COUNT + 1)])
    const held = new Set(taken.map(({ job }) => job.id))
    for (const [i, id] of ids.entries()) {
      const { state, cancelling } = await stage.job(id)
      assert.deepEqual(
        [id, answers[i], state, cancelling],
        held.has(id) ? [id, 'cancelling', 'active', true] : [id, 'cancelled', 'cancelled', false],
      )
    }
    const { cancel } = await worker.consumer.renew([])
    assert.deepEqual(new Set(cancel.map(({ job }) => job.id)), new Set([...held].filter((id) => id !== 'z0')))
  },

  'of a finish and a sweep at the same time, each job sees one first': async (stage) => {
    await stage.submit(...singles('a', COUNT))
    const worker = await stage.worker()
    const taken = await worker.takesAll(ids)
    await stage.advance(LEASE + 1)
    const other = await stage.another()
    const outcomes = taken.map((delivery) => outcome(delivery, SUCCEEDED))
    const [applied] = await Promise.all([worker.consumer.finish(outcomes), stage.sweep(other)])
    await stage.sweep()
    for (const [i, id] of ids.entries()) {
      const { state, crashes } = await stage.job(id)
      assert.deepEqual(
        [id, state, crashes],
        applied[i] === 'applied' ? [id, 'succeeded', 0] : [id, 'waiting', 1],
      )
    }
  },

  'of two finishes of one delivery at the same time, one is applied': async (stage) => {
    await stage.submit(...singles('a', COUNT))
    const worker = await stage.worker()
    const taken = await worker.takesAll(ids)
    const batches = [SUCCEEDED, FAILED].map((end) =>
      worker.consumer.finish(taken.map((delivery) => outcome(delivery, end))),
    )
    const [good, bad] = await Promise.all(batches)
    for (const [i, id] of ids.entries()) {
      assert.deepEqual([good![i], bad![i]].sort(), ['applied', 'stale'])
      assert.equal(await stage.state(id), good![i] === 'applied' ? 'succeeded' : 'failed')
    }
  },

  'of two retries by hand at the same time, one finds the job alive': async (stage) => {
    await stage.submit(...singles('a', COUNT))
    const worker = await stage.worker()
    await worker.finishes(await worker.takesAll(ids), FAILED)
    const other = await stage.another()
    const [here, there] = await Promise.all([stage.backend.control.retry(ids), other.control.retry(ids)])
    for (const i of ids.keys()) assert.deepEqual([here[i], there[i]].sort(), ['live', 'waiting'])
    await worker.finishes(await worker.takeSome(COUNT))
    await worker.findsNothing()
  },
}
