import type { Applied, Schedule, Schedules } from '../../port/index.ts'
import { pages } from './control.ts'
import type { Argument } from './link.ts'
import { scripts } from './lua/index.ts'
import { asBefore, type Shard } from './shard.ts'
import { argumentsOf, deliver } from './submit.ts'

/** Changes in one call at the most: each may fire a flow. */
const PAGE = 100

/** Recurring work. */
export function createSchedules(shard: Shard): Schedules {
  async function read(...args: Argument[]): Promise<Schedule[]> {
    const cells = (await shard.run(scripts.schedules, args, asBefore)) as string[]
    const found: Schedule[] = []
    for (let i = 0; i < cells.length; i += 4) {
      const [name, version, due, body] = cells.slice(i, i + 4) as [string, string, string, string]
      found.push({ name, version: Number(version), body, ...(due !== '' && { due: Number(due) }) })
    }
    return found
  }

  return {
    async get(names) {
      const found = new Map<string, Schedule>()
      for (const page of pages(names))
        for (const each of await read('', 0, ...page)) found.set(each.name, each)
      return names.map((name) => found.get(name))
    },

    list: (limit, after = '') => read(after, limit),

    async change(changes) {
      const answers: Applied[] = []
      for (const page of pages(changes, PAGE)) {
        const args: Argument[] = []
        for (const { name, version, next, firing } of page) {
          const fires = firing ? argumentsOf(firing) : []
          args.push('s', name, version, next?.due ?? '', next?.body ?? '', fires.length)
          for (const each of fires) args.push(each)
        }
        const { letters } = await deliver(shard, args)
        // What was fired has a letter of its own, behind its schedule's.
        answers.push(
          ...(letters.match(/[ws]/g) ?? []).map((letter) => (letter === 'w' ? 'applied' : 'stale')),
        )
      }
      return answers
    },
  }
}
