import assert from 'node:assert/strict'
import { ATTEMPTS_KEPT } from '../../port/index.ts'
import { again, BACK, CANCELLED, FAILED, outcome, SECOND, SUCCEEDED, single, singles } from './build.ts'
import type { Subject } from './stage.ts'

export const finish: Subject = {
  'a final outcome ends the job in its state, with its result': async (stage) => {
    await stage.submit(...singles('a', 3))
    const worker = await stage.worker()
    const [good, bad, stopped] = await worker.takesAll(['a0', 'a1', 'a2'])
    const applied = await worker.consumer.finish([
      outcome(good!, SUCCEEDED),
      outcome(bad!, FAILED),
      outcome(stopped!, CANCELLED),
    ])
    assert.deepEqual(applied, ['applied', 'applied', 'applied'])
    const records = [await stage.job('a0'), await stage.job('a1'), await stage.job('a2')]
    assert.deepEqual(
      records.map(({ state, result, code }) => ({ state, result, code })),
      [
        { state: 'succeeded', result: '1"done"', code: undefined },
        { state: 'failed', result: '1"broken"', code: undefined },
        { state: 'cancelled', result: '1"stopped"', code: undefined },
      ],
    )
    for (const { started, ended } of records) assert.ok(ended! >= started!)
    await worker.findsNothing()
  },

  'a counted failure spends an attempt and keeps its error': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker({ worker: 'wheel' })
    await worker.runs('a', again(0, true, '1"no luck"'))
    const second = await worker.takes('a')
    assert.deepEqual([second.attempt, second.token, second.crashes], [2, 2, 0])
    const { attempt, attempts } = await stage.job('a')
    assert.equal(attempt, 2)
    assert.equal(attempts.length, 1)
    const [{ start, end, worker: by, error, code } = assert.fail()] = attempts
    assert.deepEqual({ by, error, code }, { by: 'wheel', error: '1"no luck"', code: undefined })
    assert.ok(start <= end)
  },

  'an outcome that does not count spends no attempt': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    for (let token = 1; token <= 5; token++) {
      const delivery = await worker.takes('a')
      assert.deepEqual([delivery.attempt, delivery.token], [1, token])
      await worker.finishes([delivery], again(0, false))
    }
    assert.equal((await stage.job('a')).attempt, 1)
  },

  'a job to run again later is retrying, and says when': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a', again(60 * SECOND))
    const { now } = await stage.backend.sweep(100)
    const { state, next } = await stage.job('a')
    assert.equal(state, 'retrying')
    assert.ok(
      Math.abs(next! - now - 60 * SECOND) < 5 * SECOND,
      `Expected about a minute, got ${next! - now} ms.`,
    )
  },

  'a job to run again later is not taken before, and is taken then': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a', again(60 * SECOND))
    await stage.advance(50 * SECOND)
    await stage.sweep()
    await worker.findsNothing()
    assert.equal(await stage.state('a'), 'retrying')
    await stage.advance(11 * SECOND)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'waiting')
    await worker.runs('a')
    assert.equal(await stage.state('a'), 'succeeded')
  },

  'a job that is handed back has spent nothing': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    for (let token = 1; token <= 5; token++) {
      const delivery = await worker.takes('a')
      assert.deepEqual([delivery.attempt, delivery.crashes, delivery.token], [1, 0, token])
      await worker.finishes([delivery], BACK)
      const { state, attempts, crashes } = await stage.job('a')
      assert.deepEqual({ state, attempts, crashes }, { state: 'waiting', attempts: [], crashes: 0 })
    }
  },

  'the last twenty attempts are kept in order, and all are counted': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    for (let i = 1; i <= ATTEMPTS_KEPT + 5; i++) await worker.runs('a', again(0, true, `1${i}`))
    await worker.runs('a', FAILED)
    const { attempt, attempts } = await stage.job('a')
    assert.equal(attempt, ATTEMPTS_KEPT + 6)
    assert.deepEqual(
      attempts.map(({ error }) => error),
      Array.from({ length: ATTEMPTS_KEPT }, (_, i) => `1${i + 6}`),
    )
  },

  'the end of a job that had failures keeps them beside its result': async (stage) => {
    await stage.submit(single({ id: 'a' }))
    const worker = await stage.worker()
    await worker.runs('a', again(0, true, '1"first"'))
    await worker.runs('a')
    const { state, result, attempt, attempts } = await stage.job('a')
    assert.deepEqual([state, result, attempt], ['succeeded', '1"done"', 2])
    assert.deepEqual(
      attempts.map(({ error }) => error),
      ['1"first"'],
    )
  },

  'an empty batch of outcomes gives no answers': async (stage) => {
    const worker = await stage.worker()
    assert.deepEqual(await worker.consumer.finish([]), [])
  },
}
