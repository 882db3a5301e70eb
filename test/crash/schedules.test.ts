import { setTimeout as sleep } from 'node:timers/promises'
import { every, type ScheduleInfo } from 'millrace'
import { describe, expect, test } from 'vitest'
import { tasksOf } from './fixtures/tasks.mjs'
import { backends, openStage, until } from './stage.ts'

const { quick } = tasksOf()
const SECOND = 1_000
/** Due times are seconds: ten schedules have two hundred in twenty of them. */
const NAMES = Array.from({ length: 10 }, (_, i) => `s${i}`)
const TIMES = 20

/** Ids of due times: the second `first`, and those that follow. */
const dues = (name: string, first: number, count: number) =>
  Array.from(
    { length: count },
    (_, i) => `${name}@${new Date(first + i * SECOND).toISOString().replace('.000Z', 'Z')}`,
  )

describe.each([...backends, 'redis'])(
  'of three workers, one of which is killed again and again, on %s',
  (backend) => {
    test('every due time of ten schedules is fired once', async () => {
      await using stage = await openStage(backend)
      const { app } = stage
      const firsts = new Map<string, number>()
      for (const [i, name] of NAMES.entries()) {
        // Of every other nothing is kept: no record of a job stands in the way of a second one.
        const work = i % 2 === 0 ? quick.with({}) : quick.with({}).options({ keep: 0 })
        const defined = await app.schedule(name, every('1s'), work, { missed: 'all', limit: TIMES })
        firsts.set(name, (await defined.info())!.next!.getTime())
      }
      const all = NAMES.flatMap((name) => dues(name, firsts.get(name)!, TIMES))

      let born = 0
      const alive = await Promise.all([1, 2, 3].map(() => stage.worker(`w${++born}`, { concurrency: 20 })))
      let kills = 0
      let infos: readonly ScheduleInfo[] = []
      while (infos.length === 0 || infos.some(({ state }) => state !== 'over')) {
        await sleep(100 + Math.random() * 600)
        const at = Math.floor(Math.random() * alive.length)
        alive[at]!.signal('SIGKILL')
        kills++
        await alive[at]!.exited()
        alive[at] = await stage.worker(`w${++born}`, { concurrency: 20 })
        infos = await app.schedules()
      }
      const ran = () => new Set(stage.journal().flatMap(({ did, id }) => (did === 'run' ? id : [])))
      await until(() => ran().size >= all.length, 'every firing to run')
      await until(
        async () =>
          (await app.jobs({ state: 'active' })).jobs.length === 0 &&
          (await app.jobs({ state: 'waiting' })).jobs.length === 0,
        'all to end',
      )

      expect(kills).toBeGreaterThan(10)
      expect([...ran()].sort()).toEqual([...all].sort())
      for (const { name, fired, last, history } of infos) {
        expect([name, fired, last]).toEqual([
          name,
          TIMES,
          all.filter((id) => id.startsWith(`${name}@`)).at(-1),
        ])
        expect(history.map(({ id }) => id)).toEqual(all.filter((id) => id.startsWith(`${name}@`)))
      }
      // A second firing would make a second job of that id, which would end as well.
      const ends = stage
        .journal()
        .filter(({ did, end, answer }) => did === 'answer' && end === 'succeeded' && answer === 'applied')
      const ended = ends.map(({ id }) => id)
      expect(ended.filter((id, i) => ended.indexOf(id) !== i)).toEqual([])
      const kept = all.filter((id) => Number(id[1]) % 2 === 0)
      for (const id of kept) expect(await app.job(id).state()).toBe('succeeded')
    })
  },
)
