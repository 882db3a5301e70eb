import assert from 'node:assert/strict'
import type { Receipt, Submission, Unique } from '../../port/index.ts'
import { again, chord, DAY, FAILED, HOUR, MINUTE, SECOND, single } from './build.ts'
import type { Stage, Subject } from './stage.ts'

type Parts = Parameters<typeof single>[0]

/** A job that wants a key. */
const wants = (key: string, parts: Parts, unique: Partial<Unique> = {}): Submission => ({
  ...single(parts),
  unique: { key, until: 'finished', wins: 'first', ...unique },
})

const submit = async (stage: Stage, ...batch: Submission[]): Promise<string[]> =>
  (await stage.backend.submit(batch)).map(({ id, status }: Receipt) => `${id} ${status}`)

/** Submit one more with the key: whether it was accepted. */
async function isFree(stage: Stage, key: string, id: string, unique: Partial<Unique> = {}): Promise<boolean> {
  const [answer] = await submit(stage, wants(key, { id }, unique))
  return answer === `${id} accepted`
}

export const unique: Subject = {
  'a key that is held is answered with its holder, and nothing is written': async (stage) => {
    assert.deepEqual(
      await submit(stage, wants('k', { id: 'a' }), wants('k', { id: 'b' }), wants('l', { id: 'c' })),
      ['a accepted', 'a duplicate', 'c accepted'],
    )
    const other = await stage.another()
    assert.deepEqual(await other.submit([wants('k', { id: 'd' })]), [{ id: 'a', status: 'duplicate' }])
    assert.deepEqual(await stage.states(['a', 'b', 'c', 'd']), ['waiting', 'unknown', 'waiting', 'unknown'])
    assert.equal(await (await stage.worker()).takesAll(['a', 'c']).then((all) => all.length), 2)
  },

  'keys of one namespace are not those of another; any text is a key': async (stage) => {
    const key = 'line\nbreak\ttab\u0000 ä \u{1F600} \\ "'
    assert.ok(await isFree(stage, key, 'a'))
    assert.ok(!(await isFree(stage, key, 'b')))
    const other = await stage.elsewhere()
    assert.deepEqual(await other.submit([wants(key, { id: 'a' })]), [{ id: 'a', status: 'accepted' }])
  },

  'until it has finished, a key is held by what waits, runs and is retried': async (stage) => {
    const worker = await stage.worker()
    await stage.submit(wants('k', { id: 'a', due: { in: HOUR } }))
    assert.ok(!(await isFree(stage, 'k', 'b')))
    await stage.advance(HOUR + SECOND)
    await stage.sweep()
    const delivery = await worker.takes('a')
    assert.ok(!(await isFree(stage, 'k', 'b')))
    await worker.finishes([delivery], again(HOUR))
    assert.ok(!(await isFree(stage, 'k', 'b')))
    await stage.advance(HOUR + SECOND)
    await worker.runs('a')
    assert.ok(await isFree(stage, 'k', 'b'))
  },

  'a key is free once its holder has failed, was cancelled, has expired, or is gone': async (stage) => {
    const worker = await stage.worker()
    await stage.submit(wants('failed', { id: 'f' }))
    await worker.runs('f', FAILED)
    await stage.submit(
      wants('cancelled', { id: 'c' }),
      wants('expired', { id: 'e', expiresIn: MINUTE }),
      wants('gone', { id: 'g', keep: { succeeded: 0, failed: 0 } }),
    )
    await stage.backend.control.cancel(['c'])
    await worker.finishes((await worker.take()).filter(({ job }) => job.id === 'g'))
    await stage.advance(MINUTE + SECOND)
    for (const key of ['failed', 'cancelled', 'gone']) assert.ok(await isFree(stage, key, `new ${key}`), key)
  },

  'an expired holder gives its key up, swept or not': async (stage) => {
    await stage.submit(wants('k', { id: 'a', expiresIn: MINUTE }))
    await stage.advance(MINUTE + SECOND)
    assert.ok(await isFree(stage, 'k', 'b'))
  },

  'until it has started, a key is free once its holder runs': async (stage) => {
    const until = { until: 'started' } as const
    await stage.submit(wants('k', { id: 'a' }, until))
    assert.ok(!(await isFree(stage, 'k', 'b', until)))
    const worker = await stage.worker()
    await worker.takes('a')
    assert.ok(await isFree(stage, 'k', 'b', until))
    assert.ok(!(await isFree(stage, 'k', 'c', until)))
  },

  'a key that elapses is held for its time, whatever becomes of its holder': async (stage) => {
    const throttle = { until: 'elapsed', for: HOUR } as const
    const keep = { succeeded: 0, failed: 0 }
    await stage.submit(wants('k', { id: 'a', keep }, throttle))
    const worker = await stage.worker()
    await worker.runs('a')
    assert.equal(await stage.state('a'), 'unknown')
    await stage.advance(HOUR - MINUTE)
    await stage.sweep()
    assert.deepEqual(await submit(stage, wants('k', { id: 'b' }, throttle)), ['a duplicate'])
    await stage.advance(MINUTE + SECOND)
    assert.ok(await isFree(stage, 'k', 'b', throttle))
  },

  'a key with a time is free after it, though its holder still waits': async (stage) => {
    await stage.submit(wants('k', { id: 'a' }, { for: HOUR }))
    await stage.advance(HOUR - MINUTE)
    assert.ok(!(await isFree(stage, 'k', 'b')))
    await stage.advance(MINUTE + SECOND)
    assert.ok(await isFree(stage, 'k', 'b'))
    assert.deepEqual(await stage.states(['a', 'b']), ['waiting', 'waiting'])
  },

  'a key stays with a holder that waits for long, however often it is swept': async (stage) => {
    await stage.submit(wants('k', { id: 'a' }))
    for (let day = 0; day < 3; day++) {
      await stage.advance(DAY)
      await stage.sweep()
    }
    assert.ok(!(await isFree(stage, 'k', 'b')))
  },

  'a submission that is sent again is a duplicate of itself': async (stage) => {
    await stage.submit(wants('k', { id: 'a' }))
    assert.deepEqual(await submit(stage, wants('k', { id: 'a' }), wants('other', { id: 'a' })), [
      'a duplicate',
      'a duplicate',
    ])
    assert.ok(await isFree(stage, 'other', 'b'))
  },

  'a flow holds a key until it is decided': async (stage) => {
    const flow = (id: string): Submission => ({
      ...chord(id, 2),
      unique: { key: 'k', until: 'finished', wins: 'first' },
    })
    assert.deepEqual(await submit(stage, flow('a'), flow('b')), ['a accepted', 'a duplicate'])
    const worker = await stage.worker()
    await worker.finishes(await worker.takesAll(['a/0', 'a/1']))
    assert.deepEqual(await submit(stage, flow('b')), ['a duplicate'])
    await worker.runs('a/body')
    assert.deepEqual(await submit(stage, flow('b')), ['b accepted'])
    assert.equal(await stage.state('b/0'), 'waiting')
  },

  'where the last wins, a holder that has not started runs as the new one says': async (stage) => {
    const last = { wins: 'last' } as const
    await stage.submit(
      wants('k', { id: 'a', body: '1"old"', queue: 'q', priority: 3, notify: 'n' }, last),
      single({ id: 'z', queue: 'q', priority: 3 }),
    )
    const keep = { succeeded: 5, failed: 6 }
    const newer = wants('k', { id: 'b', body: '1"new\\n"\n', task: 'other', keep }, last)
    assert.deepEqual(await submit(stage, newer), ['a replaced'])
    assert.equal(await stage.state('b'), 'unknown')
    const worker = await stage.worker({ queues: { q: 1, default: 1 } })
    const [delivery] = await worker.take(1)
    const { id, body, task, queue, priority, notify, keep: kept } = delivery!.job
    assert.deepEqual(
      [id, body, task, queue, priority, notify, kept],
      ['a', '1"new\\n"\n', 'other', 'q', 3, 'n', keep],
    )
    assert.deepEqual(await submit(stage, wants('k', { id: 'c' }, last)), ['a duplicate'])
    await worker.finishes([delivery!])
    assert.deepEqual(await submit(stage, wants('k', { id: 'c' }, last)), ['c accepted'])
  },

  'where the last wins, its delay counts anew each time': async (stage) => {
    const bounce = (id: string, delay = HOUR) =>
      wants('k', { id, body: `1"${id}"`, due: { in: delay } }, { wins: 'last', until: 'started' })
    await stage.submit(bounce('a'))
    const worker = await stage.worker()
    for (const id of ['b', 'c', 'd']) {
      await stage.advance(HOUR - MINUTE)
      await stage.sweep()
      assert.deepEqual(await submit(stage, bounce(id)), ['a replaced'])
      await worker.findsNothing()
    }
    const { state, due, next, job } = await stage.job('a')
    const { now } = await stage.backend.sweep(1)
    assert.deepEqual([state, job.body], ['scheduled', '1"d"'])
    for (const time of [due, next!]) assert.ok(Math.abs(time - now - HOUR) < 10 * SECOND)
    await stage.advance(HOUR + SECOND)
    await worker.runs('a')
    assert.deepEqual(await submit(stage, bounce('e')), ['e accepted'])
    const counts = await stage.backend.records.counts()
    assert.deepEqual(counts.map(({ state, count }) => `${state} ${count}`).sort(), [
      'scheduled 1',
      'succeeded 1',
    ])
  },

  'a waiting holder can be made to wait for its time, and a scheduled one to run at once': async (stage) => {
    const last = (id: string, delay?: number) =>
      wants('k', { id, ...(delay !== undefined && { due: { in: delay } }) }, { wins: 'last' })
    await stage.submit(last('a'))
    assert.deepEqual(await submit(stage, last('b', HOUR)), ['a replaced'])
    assert.equal(await stage.state('a'), 'scheduled')
    const worker = await stage.worker()
    await worker.findsNothing()
    assert.deepEqual(await submit(stage, last('c')), ['a replaced'])
    assert.equal(await stage.state('a'), 'waiting')
    await worker.runs('a')
    assert.deepEqual(
      (await stage.backend.records.counts()).map(({ state, count }) => `${state} ${count}`),
      ['succeeded 1'],
    )
  },

  'a replaced job expires as the new one says': async (stage) => {
    await stage.submit(wants('k', { id: 'a', expiresIn: MINUTE }, { wins: 'last' }))
    assert.deepEqual(await submit(stage, wants('k', { id: 'b', expiresIn: HOUR }, { wins: 'last' })), [
      'a replaced',
    ])
    await stage.advance(2 * MINUTE)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'waiting')
    assert.deepEqual(await submit(stage, wants('k', { id: 'c' }, { wins: 'last' })), ['a replaced'])
    await stage.advance(2 * HOUR)
    await stage.sweep()
    assert.equal(await stage.state('a'), 'waiting')
  },

  'of a hundred that want a key at once, through several handles, one is accepted': async (stage) => {
    const handles = [stage.backend, await stage.another(), await stage.another(), await stage.another()]
    const calls = Array.from({ length: 100 }, (_, i) => handles[i % 4]!.submit([wants('k', { id: `j${i}` })]))
    const receipts = (await Promise.all(calls)).flat()
    const accepted = receipts.filter(({ status }) => status === 'accepted')
    assert.equal(accepted.length, 1)
    const [{ id }] = accepted as [Receipt]
    for (const receipt of receipts) assert.equal(receipt.id, id)
  },

  'keys that nobody holds are forgotten': async (stage) => {
    const worker = await stage.worker()
    await stage.submit(wants('a', { id: 'a' }), wants('b', { id: 'b' }, { until: 'elapsed', for: MINUTE }))
    await worker.finishes(await worker.takesAll(['a', 'b']))
    await stage.advance(DAY)
    await stage.sweep()
    assert.ok(await isFree(stage, 'a', 'c'))
    assert.ok(await isFree(stage, 'b', 'd'))
  },
}
