import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { again, BACK, SECOND, single, singles } from './build.ts'
import type { Subject } from './stage.ts'
import { within } from './worker.ts'

export const take: Subject = {
  'a taken job is active, and its record names the worker': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker({ worker: 'wheel' })
    const { token, attempt, crashes, job } = await worker.takes('a')
    assert.deepEqual({ token, attempt, crashes, id: job.id }, { token: 1, attempt: 1, crashes: 0, id: 'a' })
    const record = await stage.job('a')
    assert.deepEqual([record.state, record.worker], ['active', 'wheel'])
    assert.ok(record.started! >= record.created, 'Expected the start not to lie before the submission.')
  },

  'a take waits for the first job and never for the rest': async (stage) => {
    const worker = await stage.worker()
    const waiting = worker.take(10)
    await setImmediate()
    await stage.submit(single({ id: 'a' }))
    assert.deepEqual(
      (await waiting).map((delivery) => delivery.job.id),
      ['a'],
    )
    await stage.submit(...singles('b', 3))
    await worker.takesAll(['b0', 'b1', 'b2'])
  },

  'a take gets at most as many jobs as it asked for': async (stage) => {
    await stage.submit(...singles('a', 5))
    const worker = await stage.worker()
    await worker.takesAll(['a0'])
    assert.ok((await worker.take(3)).length <= 3)
    assert.equal((await stage.states(['a0', 'a1', 'a2', 'a3', 'a4']))[4], 'waiting')
  },

  'a take that was aborted before it began gives [] and holds nothing': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const { consumer } = await stage.worker()
    assert.deepEqual(
      await within(consumer.take(1, AbortSignal.abort()), stage.patience, 'an aborted take'),
      [],
    )
    assert.equal(await stage.state('a'), 'waiting')
  },

  'a waiting take gives [] when aborted, and what comes later is another’s': async (stage) => {
    const { consumer } = await stage.worker()
    const stop = new AbortController()
    const waiting = consumer.take(1, stop.signal)
    await setImmediate()
    stop.abort()
    assert.deepEqual(await within(waiting, stage.patience, 'an aborted take to end'), [])
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a')
  },

  'a worker can take again after a take that was aborted': async (stage) => {
    const worker = await stage.worker()
    const stop = new AbortController()
    const waiting = worker.consumer.take(1, stop.signal)
    stop.abort()
    assert.deepEqual(await within(waiting, stage.patience, 'an aborted take to end'), [])
    await stage.submit(single({ id: 'a' }))
    await worker.takes('a')
  },

  'no job is handed to two workers': async (stage) => {
    await stage.submit(...singles('j', 60))
    const workers = [
      await stage.worker(),
      await stage.worker(),
      await stage.worker({}, await stage.another()),
    ]
    const taken: string[] = []
    await Promise.all(
      workers.map(async (worker) => {
        for (let round = 0; round < 4; round++) {
          for (const { job } of await worker.take(5)) taken.push(job.id)
        }
      }),
    )
    assert.equal(new Set(taken).size, taken.length, `Expected each job once, got ${taken.sort().join(' ')}`)
    const active = async () =>
      (await stage.backend.records.counts()).find(({ state }) => state === 'active')?.count
    // What came to no place may still be on its way back.
    const until = performance.now() + stage.patience
    while ((await active()) !== taken.length && performance.now() < until);
    assert.equal(await active(), taken.length)
  },

  'a worker is given jobs of the queues that it asked for and of no others': async (stage) => {
    await stage.submit(single({ id: 'a', queue: 'red' }), single({ id: 'b', queue: 'blue' }))
    const worker = await stage.worker({ queues: { blue: 1, green: 1 } })
    await worker.takes('b')
    await worker.findsNothing()
    assert.equal(await stage.state('a'), 'waiting')
  },

  'a waiting take is woken by a submission through another handle': async (stage) => {
    const worker = await stage.worker()
    const other = await stage.another()
    const waiting = worker.takes('a')
    await setImmediate()
    await other.submit([single({ id: 'a' })])
    await waiting
  },

  'a waiting take is woken when a delayed job becomes due': async (stage) => {
    const worker = await stage.worker()
    const waiting = worker.takes('a')
    await stage.submit(single({ id: 'a', due: { in: 30 } }))
    await waiting
  },

  'a waiting take is woken when a retry becomes due': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const first = await stage.worker()
    const second = await stage.worker({}, await stage.another())
    const delivery = await first.takes('a')
    const waiting = second.takes('a')
    await setImmediate()
    assert.equal(await first.ends(delivery, again(30)), 'applied')
    await waiting
  },

  'a waiting take is woken by a job that another worker hands back': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const first = await stage.worker()
    const second = await stage.worker({}, await stage.another())
    const delivery = await first.takes('a')
    const waiting = second.takes('a')
    await setImmediate()
    assert.equal(await first.ends(delivery, BACK), 'applied')
    await waiting
  },

  'the age of a delivery counts from when its job was first due': async (stage) => {
    await stage.submit(single({ id: 'a' }), single({ id: 'b', due: { in: 20 * SECOND } }))
    await stage.advance(30 * SECOND)
    await stage.sweep()
    const worker = await stage.worker()
    const ages = new Map((await worker.take()).map(({ job, age }) => [job.id, age]))
    for (const { job, age } of ages.size < 2 ? await worker.take() : []) ages.set(job.id, age)
    const near = (age: number | undefined, expected: number) =>
      assert.ok(
        age !== undefined && age >= expected && age < expected + 5 * SECOND,
        `Expected about ${expected}, got ${age}`,
      )
    near(ages.get('a'), 30 * SECOND)
    near(ages.get('b'), 10 * SECOND)
  },
}
