import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { again, BACK, FAILED, LEASE, SECOND, single, singles } from './build.ts'
import type { Stage, Subject } from './stage.ts'
import { within } from './worker.ts'

async function lapse(stage: Stage) {
  await stage.advance(LEASE + 1)
  await stage.sweep()
}

export const leases: Subject = {
  'a job is in the line or in a lease, never in neither': async (stage) => {
    await stage.submit(...singles('a', 6))
    const held = async () => {
      const counts = await stage.backend.records.counts()
      assert.equal(
        counts.reduce((sum, { count }) => sum + count, 0),
        6,
      )
      return counts.find(({ state }) => state === 'active')?.count ?? 0
    }
    const worker = await stage.worker()
    assert.equal(await held(), 0)
    const taken = await worker.takesAll(['a0', 'a1', 'a2', 'a3'])
    assert.equal(await held(), 4)
    await worker.finishes([taken[0]!], BACK)
    assert.equal(await held(), 3)
    await worker.finishes([taken[1]!], again())
    assert.equal(await held(), 2)
    await worker.finishes([taken[2]!])
    assert.equal(await held(), 1)
    await lapse(stage)
    assert.equal(await held(), 0)
    const ids = ['a0', 'a3', 'a4', 'a5', 'a1']
    const rest = new Set((await (await stage.worker()).take()).map(({ job }) => job.id))
    assert.deepEqual([...rest].sort(), ids.sort())
  },

  'a lost worker’s jobs run elsewhere after its lease, and the loss is counted apart': async (stage) => {
    await stage.submit(...singles('a', 2))
    const lost = await stage.worker({ worker: 'lost' }, await stage.another())
    await lost.takesAll(['a0', 'a1'])
    await lapse(stage)
    const { state, crashes, attempt, attempts } = await stage.job('a0')
    assert.deepEqual({ state, crashes, attempt }, { state: 'waiting', crashes: 1, attempt: 1 })
    assert.deepEqual(
      attempts.map(({ worker, code, error }) => ({ worker, code, error })),
      [{ worker: 'lost', code: 'WORKER_LOST', error: undefined }],
    )
    const worker = await stage.worker()
    const again = await worker.takes('a0')
    assert.deepEqual([again.token, again.attempt, again.crashes], [2, 1, 1])
  },

  'a job stays with its worker while the lease lasts': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    const delivery = await worker.takes('a')
    await stage.advance(LEASE - 5 * SECOND)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'active')
    await (await stage.worker()).findsNothing()
    await worker.finishes([delivery])
  },

  'a worker that renews keeps all it holds, for as long as it renews': async (stage) => {
    await stage.submit(...singles('a', 3))
    const worker = await stage.worker()
    const taken = await worker.takesAll(['a0', 'a1', 'a2'])
    for (let i = 0; i < 6; i++) {
      await stage.advance(LEASE - 5 * SECOND)
      assert.deepEqual(await worker.consumer.renew([]), { cancel: [], lost: [] })
      await stage.sweep()
    }
    assert.deepEqual(await stage.states(['a0', 'a1', 'a2']), ['active', 'active', 'active'])
    await worker.finishes(taken)
  },

  'a lease is its worker’s: another’s renewal does not prolong it': async (stage) => {
    await stage.submit(...singles('a', 2))
    const lost = await stage.worker()
    const alive = await stage.worker()
    await lost.takes('a0')
    const kept = await alive.takes('a1')
    await stage.advance(LEASE - 5 * SECOND)
    await alive.consumer.renew([])
    await stage.advance(6 * SECOND)
    await stage.sweep()
    assert.deepEqual(await stage.states(['a0', 'a1']), ['waiting', 'active'])
    await alive.finishes([kept])
  },

  'failures and lost workers are counted apart': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a', again())
    await worker.takes('a')
    await lapse(stage)
    await worker.runs('a', again())
    const { attempt, crashes, attempts } = await stage.job('a')
    assert.deepEqual({ attempt, crashes }, { attempt: 3, crashes: 1 })
    assert.deepEqual(
      attempts.map(({ code }) => code),
      [undefined, 'WORKER_LOST', undefined],
    )
  },

  'a worker that comes back after its lease takes and finishes jobs again': async (stage) => {
    await stage.submit(...singles('a', 2))
    const worker = await stage.worker()
    await worker.takes('a0')
    await lapse(stage)
    const other = await stage.worker()
    await other.runs('a0')
    await worker.runs('a1')
    assert.deepEqual(await stage.states(['a0', 'a1']), ['succeeded', 'succeeded'])
  },

  'a worker that comes back and is lost again takes with it only what it held since': async (stage) => {
    await stage.submit(...singles('a', 4))
    const worker = await stage.worker()
    await worker.takesAll(['a0', 'a1'])
    await lapse(stage)
    const other = await stage.worker()
    await other.runs('a0')
    await worker.consumer.renew([])
    const mine = await worker.take(1)
    const id = mine[0]!.job.id
    await stage.advance(LEASE - 5 * SECOND)
    await other.consumer.renew([])
    await stage.advance(6 * SECOND)
    await stage.sweep()
    assert.equal(await stage.state('a0'), 'succeeded')
    assert.equal((await stage.job('a0')).crashes, 1)
    assert.equal((await stage.job(id)).crashes, id === 'a1' ? 2 : 1)
    assert.equal((await stage.job('a3')).crashes, 0)
  },

  'what a closed consumer held runs elsewhere at once': async (stage) => {
    await stage.submit(...singles('a', 2))
    const worker = await stage.worker()
    const taken = await worker.takesAll(['a0', 'a1'])
    await worker.finishes([taken[0]!])
    await worker[Symbol.asyncDispose]()
    const other = await stage.worker()
    const delivery = await other.takes('a1')
    assert.equal(delivery.token, 2)
    await other.finishes([delivery])
    await other.findsNothing()
  },

  'closing a consumer ends the take that waits, and it gets nothing any more': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.takes('a')
    const waiting = worker.consumer.take(1, new AbortController().signal)
    await setImmediate()
    await worker[Symbol.asyncDispose]()
    const settled = await within(
      waiting.catch(() => []),
      stage.patience,
      'the take of a closed consumer to end',
    )
    assert.deepEqual(settled, [])
    await (await stage.worker()).runs('a')
  },

  'what a closed handle held runs elsewhere within its lease': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const handle = await stage.another()
    const gone = await stage.worker({}, handle)
    await gone.takes('a')
    await handle[Symbol.asyncDispose]()
    await lapse(stage)
    await (await stage.worker()).runs('a')
  },

  'a worker with a lease is listed, with what it holds, until it is gone': async (stage) => {
    await stage.submit(...singles('a', 3))
    const worker = await stage.worker({ worker: 'wheel', queues: { default: 2, other: 1 } })
    const [first] = await worker.takesAll(['a0', 'a1'])
    const listed = async () => (await stage.backend.records.workers()).filter((row) => row.worker === 'wheel')
    const [{ queues, active, expires } = assert.fail()] = await listed()
    assert.deepEqual([[...queues].sort(), active], [['default', 'other'], 2])
    const { now } = await stage.backend.sweep(10)
    assert.ok(expires > now && expires <= now + LEASE)
    await worker.finishes([first!], FAILED)
    assert.equal((await listed())[0]?.active, 1)
    await lapse(stage)
    assert.deepEqual(await listed(), [])
  },
}
