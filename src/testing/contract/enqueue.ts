import assert from 'node:assert/strict'
import type { App } from '../../app.ts'
import { task } from '../../core/task.ts'
import { BackendError } from '../../errors.ts'
import { DAY, HOUR, SECOND } from '../conformance/build.ts'
import { add, deferred, echo, inc, rejection, tasks } from './build.ts'
import type { Subject } from './stage.ts'

const none = async (app: App) => assert.deepEqual((await app.jobs()).jobs, [])

export const enqueue: Subject = {
  'a job is accepted, and its result is what the handler returned': async (stage) => {
    const job = await stage.app.enqueue(add.with({ x: 15, y: 25 }))
    assert.equal(job.status, 'accepted')
    assert.notEqual(job.id, '')
    await stage.worker([add])
    assert.equal(await job.result(), 40)
    assert.equal(await job.state(), 'succeeded')
  },

  'ids that Millrace makes are all different': async ({ app }) => {
    const jobs = await app.enqueue(Array.from({ length: 500 }, (_, i) => inc.with(i)))
    assert.equal(new Set(jobs.map(({ id }) => id)).size, 500)
  },

  'an id makes a call repeatable: the second is a duplicate and changes nothing': async (stage) => {
    const first = await stage.app.enqueue(inc.with(1), { id: 'one', priority: 3 })
    const other = await stage.process()
    const second = await other.enqueue(inc.with(100), { id: 'one', priority: 9, delay: '1h' })
    assert.deepEqual([first.status, second.status], ['accepted', 'duplicate'])
    assert.equal(second.id, 'one')
    await stage.worker([inc])
    assert.deepEqual(await Promise.all([first.result(), second.result()]), [2, 2])
    const third = await other.enqueue(inc.with(100), { id: 'one' })
    assert.equal(third.status, 'duplicate')
    assert.equal(await third.result(), 2)
    assert.equal((await third.info())?.priority, 3)
  },

  'of many who call with the same id at once, one is accepted': async (stage) => {
    const apps = [stage.app, await stage.process(), await stage.process()]
    const calls = Array.from({ length: 30 }, (_, i) =>
      apps[i % 3]!.enqueue(inc.with(1), { id: 'one' }).then(({ status }) => status),
    )
    const statuses = await Promise.all(calls)
    assert.equal(statuses.filter((status) => status === 'accepted').length, 1)
    assert.equal((await stage.app.jobs()).jobs.length, 1)
  },

  'an id is free again once its record is gone': async (stage) => {
    await stage.worker([inc])
    const first = await stage.app.enqueue(inc.with(1), { id: 'one', keep: '1m' })
    assert.equal(await first.result(), 2)
    await stage.advance(61 * SECOND)
    assert.equal(await first.state(), 'unknown')
    const second = await stage.app.enqueue(inc.with(2), { id: 'one' })
    assert.equal(second.status, 'accepted')
    assert.equal(await second.result(), 3)
  },

  'an id may not hold what Millrace uses in ids of its own': async ({ app }) => {
    for (const id of ['a/b', 'a@b', '', 'a\nb', 'x'.repeat(201), 7]) {
      await assert.rejects(app.enqueue(inc.with(1), { id: id as string }), {
        name: 'UsageError',
        code: 'INVALID_ID',
      })
    }
    await none(app)
  },

  'ids and names that are properties of every object are like any other': async (stage) => {
    const odd = task('constructor', (n: number) => n * 2)
    const odder = task('__proto__', { queue: 'toString' }, (n: number) => n * 3)
    await stage.worker([odd, odder])
    const jobs = await Promise.all([
      stage.app.enqueue(odd.with(1), { id: '__proto__' }),
      stage.app.enqueue(odder.with(1), { id: 'constructor', headers: { toString: 'x' } }),
    ])
    assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [2, 3])
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
  },

  'an array is accepted in order, a handle for each': async (stage) => {
    const [a, b, c] = await stage.app.enqueue([inc.with(1), add.with({ x: 1, y: 1 }), echo.with('c')])
    assert.deepEqual([a.status, b.status, c.status], ['accepted', 'accepted', 'accepted'])
    await stage.worker(tasks, { concurrency: 1 })
    assert.deepEqual(await Promise.all([a.result(), b.result(), c.result()]), [2, 2, 'c'])
    const [first, , last] = await Promise.all([a.info(), b.info(), c.info()])
    assert.ok(first!.started! <= last!.started!)
  },

  'an empty array is accepted, and gives no handle': async ({ app }) => {
    assert.deepEqual(await app.enqueue([]), [])
  },

  'a wrong one in an array is named by its index, and nothing of the array is accepted': async ({ app }) => {
    const error = await rejection(app.enqueue([inc.with(1), echo.with({ deep: [1, () => 1] }), inc.with(2)]))
    assert.deepEqual(
      { ...(error as object), message: (error as Error).message },
      {
        name: 'UsageError',
        code: 'UNSERIALISABLE',
        path: '[1].input.deep[1]',
        message:
          '[1]: input.deep[1] is a function, which would not arrive as it is. Send data, and let the task do the work.',
      },
    )
    await assert.rejects(app.enqueue([inc.with(1), 'inc' as never]), /\[1\]: Expected what is enqueued/)
    await none(app)
  },

  'each of an array is accepted or a duplicate by itself': async (stage) => {
    const two = [inc.with(1), inc.with(2)]
    await stage.app.enqueue(inc.with(7), { id: 'b' })
    const handles = await stage.app.enqueue(two, { ids: ['a', 'b'] })
    assert.deepEqual(
      handles.map(({ id, status }) => `${id} ${status}`),
      ['a accepted', 'b duplicate'],
    )
    await stage.worker(tasks)
    assert.deepEqual(await Promise.all(handles.map((handle) => handle.result())), [2, 8])
  },

  'when the backend fails for some of a long array, the error names the first of them and says so': async (
    stage,
  ) => {
    const down = new BackendError('BACKEND_UNAVAILABLE', 'The backend is gone.', { retryable: true })
    const app = await stage.process({}, ({ verb, nth }) =>
      verb === 'submit' && nth === 2 ? { fail: down } : undefined,
    )
    const many = Array.from({ length: 1500 }, (_, i) => inc.with(i))
    await assert.rejects(app.enqueue(many), {
      code: 'BACKEND_UNAVAILABLE',
      message: /^\[1000\]: The backend is gone\. 1000 of the 1500 were accepted/,
    })
  },

  'an id is not for an array, and ids are as many as it has': async ({ app }) => {
    const two = [inc.with(1), inc.with(2)]
    await assert.rejects(app.enqueue(two, { id: 'one' } as never), {
      code: 'INVALID_OPTION',
      message: /an array takes ids/,
    })
    await assert.rejects(app.enqueue(two, { ids: ['a'] }), { code: 'INVALID_OPTION', message: /2 ids/ })
    await assert.rejects(app.enqueue(two, { ids: ['a', 'b/c'] }), { code: 'INVALID_ID', message: /^\[1\]/ })
    await none(app)
  },

  'the options of the call hold for each of an array': async (stage) => {
    const jobs = await stage.app.enqueue([inc.with(1), inc.with(2)], { queue: 'mails', priority: 4 })
    for (const job of jobs) {
      const { queue, priority } = (await job.info())!
      assert.deepEqual({ queue, priority }, { queue: 'mails', priority: 4 })
    }
  },

  'a task without input is enqueued with none': async (stage) => {
    const nothing = task('nothing', (input?: undefined) => typeof input)
    await stage.worker([nothing])
    assert.equal(await (await stage.app.enqueue(nothing.with())).result(), 'undefined')
  },

  'the same signature may be enqueued many times': async (stage) => {
    const signature = inc.with(1)
    const jobs = await stage.app.enqueue([signature, signature])
    await stage.worker([inc])
    assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [2, 2])
  },

  'headers travel with the job, and its handler reads them': async (stage) => {
    const read = task('read', (_: null, { headers }) => ({ ...headers }))
    await stage.worker([read])
    const signature = read.with(null).options({ headers: { tenant: 'a', trace: '1' } })
    const job = await stage.app.enqueue(signature, { headers: { trace: '2', 'ü ✓': 'ü ✓' } })
    const expected = { tenant: 'a', trace: '2', 'ü ✓': 'ü ✓' }
    assert.deepEqual(await job.result(), expected)
    assert.deepEqual((await job.info())?.headers, expected)
    assert.deepEqual(await (await stage.app.enqueue(read.with(null))).result(), {})
    const wrong = [{ a: 1 }, [], { '': 'x' }, JSON.parse('{"__proto__":"x"}'), { 'a\nb': 'x' }]
    for (const headers of wrong) {
      await assert.rejects(stage.app.enqueue(read.with(null), { headers }), { code: 'INVALID_OPTION' })
    }
  },

  'a delayed job is scheduled, and runs when it is due': async (stage) => {
    await stage.worker([inc])
    const job = await stage.app.enqueue(inc.with(1), { delay: '1h' })
    assert.equal(await job.state(), 'scheduled')
    const { next, due } = (await job.info())!
    assert.deepEqual(next, due)
    await stage.advance(HOUR - 5 * SECOND)
    assert.equal(await job.state(), 'scheduled')
    await stage.advance(5 * SECOND + 1)
    assert.equal(await job.result(), 2)
    const info = (await job.info())!
    assert.ok(info.started! >= due, 'Expected it to start no earlier than when it was due.')
  },

  'a job runs no earlier than at its time': async (stage) => {
    await stage.worker([inc])
    const at = new Date(Date.now() + DAY)
    const jobs = await Promise.all([
      stage.app.enqueue(inc.with(1), { at }),
      stage.app.enqueue(inc.with(2), { at: at.getTime() }),
    ])
    assert.deepEqual(await Promise.all(jobs.map((job) => job.state())), ['scheduled', 'scheduled'])
    assert.deepEqual((await jobs[0].info())?.due, at)
    await stage.advance(DAY + 1)
    assert.deepEqual(await Promise.all(jobs.map((job) => job.result())), [2, 3])
    const past = await stage.app.enqueue(inc.with(3), { at: 0 })
    assert.equal(await past.result(), 4)
  },

  'delay and at exclude each other, and both are checked': async ({ app }) => {
    const wrong: object[] = [
      { delay: '1s', at: new Date() },
      { delay: 'soon' },
      { delay: -1 },
      { at: new Date('never') },
      { at: '2030-01-01' },
      { priority: 10 },
      { priority: 0.5 },
      { queue: '' },
      { expires: 0 },
      { timeout: 0 },
      { keep: '1' },
      { keep: { succeeded: -1 } },
      { retry: 0 },
      { retry: { backoff: () => 1 } },
    ]
    for (const options of wrong) {
      await assert.rejects(app.enqueue(inc.with(1), options), { name: 'UsageError', code: 'INVALID_OPTION' })
    }
    await none(app)
  },

  'higher priorities are run first, and first in is first out among equals': async (stage) => {
    const ran: number[] = []
    const note = task('note', (n: number) => void ran.push(n))
    const jobs = [
      ...(await stage.app.enqueue([note.with(3), note.with(4)])),
      await stage.app.enqueue(note.with(1), { priority: 9 }),
      await stage.app.enqueue(note.with(2), { priority: 1 }),
    ]
    await stage.worker([note], { concurrency: 1 })
    await Promise.all(jobs.map((job) => job.result()))
    assert.deepEqual(ran, [1, 2, 3, 4])
  },

  'a job that has not started in its time expires, and says so': async (stage) => {
    const [late, early] = await Promise.all([
      stage.app.enqueue(inc.with(1), { expires: '1m' }),
      stage.app.enqueue(inc.with(1), { expires: '1h', delay: '10m' }),
    ])
    await stage.advance(61 * SECOND)
    assert.equal(await late.state(), 'expired')
    await assert.rejects(late.result(), {
      name: 'TaskFailedError',
      code: 'EXPIRED',
      task: 'inc',
      id: late.id,
    })
    await stage.advance(HOUR)
    assert.equal(await early.state(), 'waiting')
    await stage.worker([inc])
    assert.equal(await early.result(), 2)
    assert.equal(await late.state(), 'expired')
  },

  'a record stays as long as asked, apart for success and failure': async (stage) => {
    const boom = task('boom', { retry: 1, keep: { succeeded: '1m', failed: '2h' } }, (ok: boolean) => {
      if (!ok) throw new Error('boom')
    })
    await stage.worker([boom, inc])
    const [good, bad, long, short] = await Promise.all([
      stage.app.enqueue(boom.with(true)),
      stage.app.enqueue(boom.with(false)),
      stage.app.enqueue(boom.with(true), { keep: { succeeded: '3h' } }),
      stage.app.enqueue(inc.with(1)),
    ])
    const states = () => Promise.all([good, bad, long, short].map((job) => job.state()))
    await Promise.allSettled([good, bad, long, short].map((job) => job.result()))
    assert.deepEqual(await states(), ['succeeded', 'failed', 'succeeded', 'succeeded'])
    await stage.advance(62 * SECOND)
    assert.deepEqual(await states(), ['unknown', 'failed', 'succeeded', 'succeeded'])
    await stage.advance(HOUR)
    assert.deepEqual(await states(), ['unknown', 'failed', 'succeeded', 'unknown'])
    await stage.advance(HOUR)
    assert.deepEqual(await states(), ['unknown', 'unknown', 'succeeded', 'unknown'])
  },

  'an input over the limit is refused, and one up to it arrives whole': async (stage) => {
    const app = await stage.process({ payloadLimit: 2000 })
    await stage.worker([echo], {}, await stage.process({ payloadLimit: 100_000 }))
    await assert.rejects(app.enqueue(echo.with('x'.repeat(2000))), {
      name: 'UsageError',
      code: 'PAYLOAD_TOO_LARGE',
      message: /2005 bytes, and the limit is 2000/,
    })
    await assert.rejects(app.enqueue(echo.with('ü'.repeat(1000))), { code: 'PAYLOAD_TOO_LARGE' })
    await none(app)
    const most = 'ü'.repeat(997)
    assert.equal(await (await app.enqueue(echo.with(most))).result(), most)
    await assert.rejects(stage.app.enqueue(echo.with('x'.repeat(1_000_001))), { code: 'PAYLOAD_TOO_LARGE' })
  },

  'many that are enqueued at once are all accepted, and all run': async (stage) => {
    await stage.worker([inc], { concurrency: 100 })
    const apps = [stage.app, await stage.process()]
    const values = await Promise.all(
      Array.from({ length: 400 }, async (_, i) => (await apps[i % 2]!.enqueue(inc.with(i))).result()),
    )
    assert.deepEqual(
      values,
      values.map((_, i) => i + 1),
    )
  },

  'an enqueue that the backend does not answer in time is rejected, and may have been accepted': async (
    stage,
  ) => {
    const { promise: late, resolve: answer } = deferred()
    const app = await stage.process({ enqueueTimeout: 20 }, ({ verb }) =>
      verb === 'submit' ? { delay: late } : undefined,
    )
    await assert.rejects(app.enqueue(inc.with(1), { id: 'one' }), {
      name: 'BackendError',
      code: 'ENQUEUE_TIMEOUT',
      retryable: true,
    })
    assert.equal(await stage.app.job('one').state(), 'unknown')
    answer()
    await stage.until('the late call to arrive', async () => (await app.job('one').state()) === 'waiting')
    assert.equal((await app.enqueue(inc.with(1), { id: 'one' })).status, 'duplicate')
  },
}
