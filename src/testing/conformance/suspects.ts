import assert from 'node:assert/strict'
import { CRASH_LIMIT } from '../../port/index.ts'
import { again, BACK, LEASE, single, singles } from './build.ts'
import type { Stage, Subject } from './stage.ts'

/** Take these jobs and lose their worker. */
async function crash(stage: Stage, ids: readonly string[]) {
  const worker = await stage.worker()
  await worker.takesAll(ids)
  await stage.advance(LEASE + 1)
  await stage.sweep()
}

const ids = (deliveries: readonly { job: { id: string } }[]) => deliveries.map(({ job }) => job.id)

export const suspects: Subject = {
  'at the third lost worker a job fails as WORKER_LOST': async (stage) => {
    await stage.submit(single({ id: 'poison' }))
    for (let crashes = 1; crashes < CRASH_LIMIT; crashes++) {
      await crash(stage, ['poison'])
      assert.deepEqual(
        [await stage.state('poison'), (await stage.job('poison')).crashes],
        ['waiting', crashes],
      )
    }
    await crash(stage, ['poison'])
    const { state, code, crashes, result, attempts } = await stage.job('poison')
    assert.deepEqual(
      { state, code, crashes, result },
      { state: 'failed', code: 'WORKER_LOST', crashes: CRASH_LIMIT, result: undefined },
    )
    assert.deepEqual(
      attempts.map((attempt) => attempt.code),
      Array(CRASH_LIMIT).fill('WORKER_LOST'),
    )
    await (await stage.worker()).findsNothing()
  },

  'lost workers add up over failures and hand-backs between them': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    for (const end of [again(), BACK]) {
      await crash(stage, ['a'])
      await worker.runs('a', end)
    }
    await crash(stage, ['a'])
    assert.deepEqual([await stage.state('a'), (await stage.job('a')).attempt], ['failed', 2])
  },

  'a worker holds at most one suspect, and its other places go to the unsuspected': async (stage) => {
    await stage.submit(...singles('s', 3))
    await crash(stage, ['s0', 's1', 's2'])
    await stage.submit(...singles('n', 4))
    const worker = await stage.worker()
    const taken = await worker.takesAll(['s0', 'n0', 'n1', 'n2', 'n3'])
    await worker.findsNothing()
    await worker.finishes([taken[0]!])
    await worker.runs('s1')
    await worker.runs('s2')
  },

  'a worker that asks for one place gets what is behind the suspects that it may not have': async (stage) => {
    await stage.submit(...singles('s', 2))
    await crash(stage, ['s0', 's1'])
    await stage.submit(single({ id: 'n' }))
    const worker = await stage.worker()
    await worker.takes('s0')
    await worker.takes('n')
  },

  'suspects run at the same time on different workers': async (stage) => {
    await stage.submit(...singles('s', 2))
    await crash(stage, ['s0', 's1'])
    const [first, second] = [await stage.worker(), await stage.worker({}, await stage.another())]
    assert.deepEqual(ids(await first.take()), ['s0'])
    assert.deepEqual(ids(await second.take()), ['s1'])
  },

  'a worker rid of its suspect, however it ended, may have the next': async (stage) => {
    await stage.submit(...singles('s', 4))
    await crash(stage, ['s0', 's1', 's2', 's3'])
    const worker = await stage.worker()
    await worker.runs('s0', again(LEASE))
    await worker.runs('s1')
    await worker.finishes([await worker.takes('s2')], BACK)
    assert.deepEqual(ids(await worker.take()), ['s2'])
    await stage.advance(LEASE + 1)
    await stage.sweep()
    assert.equal((await worker.take()).filter(({ crashes }) => crashes > 0).length, 1)
  },

  'a job that kills its worker costs its neighbours one loss each': async (stage) => {
    const neighbours = Array.from({ length: 10 }, (_, i) => `n${i}`)
    await stage.submit(single({ id: 'poison' }), ...singles('n', neighbours.length))
    await crash(stage, ['poison', ...neighbours])
    for (let crashes = 2; crashes <= CRASH_LIMIT; crashes++) {
      const worker = await stage.worker()
      assert.deepEqual(ids(await worker.take()), ['poison'])
      await stage.advance(LEASE + 1)
      await stage.sweep()
    }
    const worker = await stage.worker()
    for (const id of neighbours) await worker.runs(id)
    assert.equal(await stage.state('poison'), 'failed')
    for (const id of neighbours) assert.equal((await stage.job(id)).crashes, 1)
  },
}
