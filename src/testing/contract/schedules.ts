import assert from 'node:assert/strict'
import type { App } from '../../app.ts'
import { chain, group } from '../../core/flow.ts'
import { cron, every } from '../../core/recurrence.ts'
import { schedule } from '../../core/schedule-options.ts'
import { task } from '../../core/task.ts'
import { DAY, HOUR, MINUTE } from '../conformance/build.ts'
import { add, door, echo, sum, tasks } from './build.ts'
import type { Stage, Subject } from './stage.ts'

const call = () => add.with({ x: 1, y: 2 })

/** The backend's time, and how long until the next full interval. */
async function clock(stage: Stage, interval: number): Promise<{ now: number; left: number }> {
  const { now } = await stage.backend.sweep(1)
  return { now, left: interval - (now % interval) }
}

/** Move on to just after the next full interval, and wait until the schedule was seen to. */
async function pass(stage: Stage, name: string, interval: number): Promise<void> {
  const { left, now } = await clock(stage, interval)
  await stage.advance(left + 1)
  await stage.until(`${name} to be seen to`, async () => {
    const info = await stage.app.scheduled(name).info()
    return !info?.next || info.next.getTime() > now + left
  })
}

const historyOf = async (app: App, name: string) => (await app.scheduled(name).info())!.history

export const schedules: Subject = {
  'a schedule fires at its times, each as a job of that name and time': async (stage) => {
    const defined = await stage.app.schedule('sums', every('1h'), call())
    assert.equal(defined.status, 'created')
    const { now, left } = await clock(stage, HOUR)
    const first = new Date(now + left)
    const before = (await defined.info())!
    assert.deepEqual(
      [before.state, before.next, before.when, before.work, before.fired, before.history],
      ['active', first, 'every 1h', 'add', 0, []],
    )
    await stage.worker(tasks)
    await pass(stage, 'sums', HOUR)
    const id = `sums@${first.toISOString().replace('.000Z', 'Z')}`
    assert.equal(await stage.app.job(id).result(), 3)
    await pass(stage, 'sums', HOUR)
    const after = (await defined.info())!
    assert.deepEqual([after.fired, after.next], [2, new Date(first.getTime() + 2 * HOUR)])
    assert.deepEqual(
      after.history.map(({ due }) => due.getTime() - first.getTime()),
      [0, HOUR],
    )
    assert.equal(after.history[0]?.id, id)
    assert.equal(await stage.app.job(after.last!).result(), 3)
  },

  'a cron schedule fires by its time zone': async (stage) => {
    const when = cron('30 3 * * *', { timezone: 'Asia/Kolkata' })
    const report = await stage.app.schedule('report', when, call())
    const [next] = await report.next(1)
    assert.equal(next!.toISOString().slice(11), '22:00:00.000Z')
    assert.deepEqual((await report.info())!.next, next)
    await stage.worker(tasks)
    await stage.advance(next!.getTime() - (await clock(stage, 1)).now + 1)
    await stage.until('it to fire', async () => (await report.info())!.fired === 1)
    assert.deepEqual((await report.info())!.next, new Date(next!.getTime() + DAY))
  },

  'the same definition again changes nothing, from any process; another replaces it': async (stage) => {
    const other = await stage.process()
    const define = (app: App, y = 2, interval = '1h') =>
      app.schedule('sums', every(interval), add.with({ x: 1, y }))
    assert.equal((await define(stage.app)).status, 'created')
    const before = await stage.app.scheduled('sums').info()
    assert.equal((await define(other)).status, 'unchanged')
    assert.deepEqual(await stage.app.scheduled('sums').info(), before)
    assert.equal((await define(other, 3)).status, 'replaced')
    assert.equal((await define(stage.app, 3, '30m')).status, 'replaced')
    assert.equal((await stage.app.scheduled('sums').info())!.when, 'every 30m')
    await stage.worker(tasks)
    await pass(stage, 'sums', HOUR / 2)
    const { last } = (await stage.app.scheduled('sums').info())!
    assert.equal(await stage.app.job(last!).result(), 4)
  },

  'many processes that define a schedule at once make one': async (stage) => {
    const apps = await Promise.all(Array.from({ length: 5 }, () => stage.process()))
    const defined = await Promise.all(apps.map((app) => app.schedule('sums', every('1h'), call())))
    const statuses = defined.map(({ status }) => status).sort()
    assert.deepEqual(statuses, ['created', 'unchanged', 'unchanged', 'unchanged', 'unchanged'])
    assert.equal((await stage.app.schedules()).length, 1)
  },

  'of many workers one fires each time, also when nothing of it is kept': async (stage) => {
    let runs = 0
    const count = task('count', { keep: 0 }, () => {
      runs++
    })
    await stage.app.schedule('counts', every('1h'), count.with())
    for (let i = 0; i < 4; i++) await stage.worker([count])
    for (let i = 0; i < 5; i++) {
      await pass(stage, 'counts', HOUR)
      await stage.until('the job to run', () => runs > i)
    }
    await stage.sweep()
    assert.equal(runs, 5)
    assert.equal((await stage.app.scheduled('counts').info())!.fired, 5)
  },

  'a schedule fires a flow': async (stage) => {
    const flow = chain(group([call(), add.with({ x: 3, y: 4 })]), sum)
    const flows = await stage.app.schedule('flows', every('1h'), flow)
    assert.equal((await flows.info())!.work, 'chain of 2')
    await stage.worker(tasks)
    await pass(stage, 'flows', HOUR)
    const { last } = (await flows.info())!
    assert.equal(await stage.app.flow(last!).result(), 10)
    assert.equal((await stage.app.flow(last!).steps()).length, 3)
  },

  'what is fired has the options, the input and the headers of its signature': async (stage) => {
    const when = new Date('2026-01-02T03:04:05Z')
    const tell = task('tell', (value: { when: Date }, { headers }) => [value.when, headers.trace])
    const part = tell
      .with({ when })
      .options({ queue: 'slow', priority: 3, headers: { trace: 'x"\\7' }, delay: '10m' })
    const echoes = await stage.app.schedule('echoes', every('1h'), part)
    assert.deepEqual((await echoes.info())!.queues, ['slow'])
    await stage.worker([tell], { queues: ['slow'] })
    await pass(stage, 'echoes', HOUR)
    const job = stage.app.job((await echoes.info())!.last!)
    assert.deepEqual([(await job.info())!.state, (await job.info())!.priority], ['scheduled', 3])
    await stage.advance(10 * MINUTE)
    assert.deepEqual(await job.result(), [when, 'x"\\7'])
  },

  'a paused schedule does not fire, in any process, until it is resumed; what passed is not made up for':
    async (stage) => {
      const sums = await stage.app.schedule('sums', every('1h'), call())
      await stage.worker(tasks)
      const other = await stage.process()
      await other.scheduled('sums').pause()
      assert.deepEqual([(await sums.info())!.state, (await sums.info())!.next], ['paused', undefined])
      assert.equal((await stage.app.schedule('sums', every('1h'), call())).status, 'unchanged')
      assert.equal((await stage.app.schedule('sums', every('2h'), call())).status, 'replaced')
      assert.equal((await sums.info())!.state, 'paused')
      await stage.advance(5 * HOUR)
      await stage.advance(5 * HOUR)
      await other.scheduled('sums').resume()
      const { state, next, fired } = (await sums.info())!
      const { now } = await clock(stage, HOUR)
      assert.deepEqual([state, fired, next!.getTime() > now], ['active', 0, true])
      await pass(stage, 'sums', 2 * HOUR)
      assert.equal((await sums.info())!.fired, 1)
    },

  'run fires a schedule at once, and leaves its times as they are': async (stage) => {
    const sums = await stage.app.schedule('sums', every('1h'), call())
    const { next } = (await sums.info())!
    await stage.worker(tasks)
    const job = await sums.run()
    assert.equal(await job.result(), 3)
    assert.match(job.id, /^sums@\d{4}-/)
    const after = (await sums.info())!
    assert.deepEqual([after.next, after.fired, after.last], [next, 1, job.id])
  },

  'a schedule that is removed fires no more; what it fired goes on': async (stage) => {
    const wait = door()
    const slow = task('slow', () => wait.through())
    const slows = await stage.app.schedule('slows', every('1h'), slow.with())
    await stage.worker([slow])
    await pass(stage, 'slows', HOUR)
    await wait.reached()
    const { last } = (await slows.info())!
    assert.equal(await slows.remove(), true)
    assert.equal(await slows.remove(), false)
    assert.equal(await slows.info(), undefined)
    await assert.rejects(slows.next(), { code: 'UNKNOWN_SCHEDULE' })
    await assert.rejects(slows.run(), { code: 'UNKNOWN_SCHEDULE' })
    await stage.advance(3 * HOUR)
    wait.open()
    await stage.app.job(last!).result()
    assert.equal(wait.count, 1)
  },

  'of the times that passed while no worker ran, the last is fired': async (stage) => {
    await stage.app.schedule('sums', every('10m'), call())
    const { now, left } = await clock(stage, 10 * MINUTE)
    await stage.advance(left + HOUR)
    await stage.worker(tasks)
    await stage.until('it to fire', async () => (await stage.app.scheduled('sums').info())!.fired === 1)
    const history = await historyOf(stage.app, 'sums')
    assert.deepEqual(
      history.map(({ due, skipped, count }) => [due.getTime() - now - left, skipped, count]),
      [
        [50 * MINUTE, 'missed', 6],
        [HOUR, undefined, undefined],
      ],
    )
    assert.ok(stage.logs.some(({ message, fields }) => /were missed/.test(message) && fields.missed === 6))
  },

  'with missed: skip none of them is fired, and the next one is': async (stage) => {
    await stage.app.schedule('sums', every('10m'), call(), { missed: 'skip' })
    const { left } = await clock(stage, 10 * MINUTE)
    await stage.advance(left + HOUR + 2 * MINUTE)
    await stage.worker(tasks)
    await stage.until('it to be seen to', async () => (await historyOf(stage.app, 'sums')).length === 1)
    const [entry] = await historyOf(stage.app, 'sums')
    assert.deepEqual([entry!.skipped, entry!.count], ['missed', 7])
    await pass(stage, 'sums', 10 * MINUTE)
    assert.equal((await stage.app.scheduled('sums').info())!.fired, 1)
  },

  'with missed: all each of them is fired, in order': async (stage) => {
    await stage.app.schedule('sums', every('10m'), call(), { missed: 'all' })
    const { now, left } = await clock(stage, 10 * MINUTE)
    await stage.advance(left + HOUR)
    await stage.worker(tasks)
    await stage.until('all to fire', async () => (await stage.app.scheduled('sums').info())!.fired === 7)
    const history = await historyOf(stage.app, 'sums')
    assert.deepEqual(
      history.map(({ due }) => (due.getTime() - now - left) / MINUTE),
      [0, 10, 20, 30, 40, 50, 60],
    )
    for (const { id } of history) assert.equal(await stage.app.job(id!).result(), 3)
  },

  'with overlap: skip a time is left out while the last run goes on': async (stage) => {
    const wait = door()
    const slow = task('slow', { timeout: false }, () => wait.through())
    const slows = await stage.app.schedule('slows', every('1h'), slow.with(), { overlap: 'skip' })
    await stage.worker([slow])
    await pass(stage, 'slows', HOUR)
    await wait.reached()
    const { last } = (await slows.info())!
    await pass(stage, 'slows', HOUR)
    assert.deepEqual(
      [(await slows.info())!.fired, (await slows.info())!.history.at(-1)!.skipped],
      [1, 'overlap'],
    )
    wait.open()
    await stage.app.job(last!).result()
    await pass(stage, 'slows', HOUR)
    assert.equal((await slows.info())!.fired, 2)
  },

  'with overlap: queue a time waits for the last run to end': async (stage) => {
    const wait = door()
    const slow = task('slow', { timeout: false }, () => wait.through())
    const slows = await stage.app.schedule('slows', every('1h'), slow.with(), { overlap: 'queue' })
    await stage.worker([slow])
    await pass(stage, 'slows', HOUR)
    await wait.reached()
    const { left } = await clock(stage, HOUR)
    await stage.advance(left + 1)
    await stage.advance(5 * MINUTE)
    assert.equal((await slows.info())!.fired, 1)
    wait.open()
    await stage.until('it to fire', async () => {
      await stage.advance(2_000)
      return (await slows.info())!.fired === 2
    })
    await wait.reached(2)
  },

  'with a limit a schedule is over after so many firings, and may still be run': async (stage) => {
    const sums = await stage.app.schedule('sums', every('1h'), call(), { limit: 2 })
    assert.equal((await sums.next(10)).length, 2)
    await stage.worker(tasks)
    await pass(stage, 'sums', HOUR)
    await pass(stage, 'sums', HOUR)
    const info = (await sums.info())!
    assert.deepEqual([info.state, info.next, info.fired, info.limit], ['over', undefined, 2, 2])
    assert.deepEqual(await sums.next(), [])
    await stage.advance(3 * HOUR)
    assert.equal(await (await sums.run()).result(), 3)
    assert.equal((await sums.info())!.state, 'over')
  },

  'a schedule fires from its start to its end, both included': async (stage) => {
    const { now, left } = await clock(stage, HOUR)
    const start = now + left + HOUR
    const sums = await stage.app.schedule('sums', every('1h'), call(), { start, end: new Date(start + HOUR) })
    assert.deepEqual(await sums.next(), [new Date(start), new Date(start + HOUR)])
    await stage.worker(tasks)
    await stage.advance(left + 1)
    assert.equal((await sums.info())!.fired, 0)
    await pass(stage, 'sums', HOUR)
    await pass(stage, 'sums', HOUR)
    assert.deepEqual([(await sums.info())!.fired, (await sums.info())!.state], [2, 'over'])
  },

  'jitter makes a firing later, by the same in every process, and leaves its id': async (stage) => {
    const sums = await stage.app.schedule('sums', every('1h'), call(), { jitter: '10m' })
    const { next } = (await sums.info())!
    const [due] = await sums.next(1)
    const late = next!.getTime() - due!.getTime()
    assert.ok(late >= 0 && late <= 10 * MINUTE)
    assert.deepEqual((await (await stage.process()).scheduled('sums').info())!.next, next)
    await stage.worker(tasks)
    await stage.advance(next!.getTime() - (await clock(stage, 1)).now + 1)
    await stage.until('it to fire', async () => (await sums.info())!.fired === 1)
    assert.equal((await sums.info())!.last, `sums@${due!.toISOString().replace('.000Z', 'Z')}`)
  },

  'a worker stores the schedules that it declares, and tells of those that it declares no more': async (
    stage,
  ) => {
    const one = schedule('one', every('1h'), call())
    const two = schedule('two', every('2h'), call())
    await stage.app.schedule('by hand', every('3h'), call())
    const first = await stage.worker(tasks, { schedules: [one, two] })
    await stage.until('both', async () => (await stage.app.schedules()).length === 3)
    await first.stop()
    await stage.worker(tasks, { schedules: [one] })
    const told = () => stage.logs.filter(({ message }) => /does not declare any more/.test(message))
    await stage.until('it to be told', () => told().length > 0)
    assert.deepEqual(
      told().map(({ fields }) => fields.schedule),
      ['two'],
    )
    const third = await stage.worker(tasks, { schedules: [one], removeSchedules: true })
    await stage.until('it to go', async () => (await stage.app.schedules()).length === 2)
    await third.stop()
    const names = (await stage.app.schedules()).map(({ name }) => name)
    assert.deepEqual(names, ['by hand', 'one'])
  },

  'schedules are listed by name with all that is known of them': async (stage) => {
    await stage.app.schedule('b', every('1d'), call(), {
      missed: 'all',
      overlap: 'skip',
      limit: 7,
      jitter: '5s',
    })
    await stage.app.schedule('a', cron('0 0 1 1 *'), call())
    const all = await stage.app.schedules()
    assert.deepEqual(
      all.map(({ name }) => name),
      ['a', 'b'],
    )
    const { missed, overlap, limit, jitter, queues } = all[1]!
    assert.deepEqual([missed, overlap, limit, jitter, queues], ['all', 'skip', 7, 5000, ['default']])
    assert.equal(all[0]!.when, '0 0 1 1 * (UTC)')
    assert.deepEqual(all[0], await stage.app.scheduled('a').info())
  },

  'a definition that is wrong is refused at the call, and nothing is stored': async (stage) => {
    const { app } = stage
    const hourly = every('1h')
    const bad = async (code: string, message: RegExp, make: () => unknown) => {
      await assert.rejects(async () => make(), { code, message })
    }
    await bad('INVALID_OPTION', /name/, () => app.schedule('a/b', hourly, call()))
    await bad('INVALID_OPTION', /name/, () => app.schedule('a@b', hourly, call()))
    await bad('INVALID_OPTION', /recurrence/, () => app.schedule('a', '1h' as never, call()))
    await bad('INVALID_OPTION', /missed/, () =>
      app.schedule('a', hourly, call(), { missed: 'never' as never }),
    )
    await bad('UNKNOWN_OPTION', /Did you mean "overlap"/, () =>
      app.schedule('a', hourly, call(), { overlaps: 'skip' } as never),
    )
    await bad('INVALID_OPTION', /limit/, () => app.schedule('a', hourly, call(), { limit: 0 }))
    await bad('INVALID_OPTION', /end/, () => app.schedule('a', hourly, call(), { start: 5, end: 4 }))
    await bad('INVALID_OPTION', /use delay/, () => app.schedule('a', hourly, call().options({ at: 5 })))
    await bad('UNSERIALISABLE', /input/, () =>
      app.schedule(
        'a',
        hourly,
        echo.with(() => 1),
      ),
    )
    await bad('INVALID_OPTION', /five fields/, () => cron('* * * *'))
    await bad('INVALID_OPTION', /never does/, () => cron('0 0 31 2 *'))
    await bad('INVALID_OPTION', /time zone/, () => cron('0 0 * * *', { timezone: 'Mars/Olympus' }))
    await bad('INVALID_OPTION', /at least a second/, () => every('999ms'))
    assert.deepEqual(await app.schedules(), [])
  },
}
