import type { Applied, Change, EpochMillis, Schedule, Schedules } from '../../port/index.ts'
import type { Ground } from './ground.ts'
import { type Moment, number } from './moment.ts'
import { submit } from './submit.ts'
import { pack, unpack } from './text.ts'

/** Recurring work in a file. */
export const createSchedules = ({ writer, look }: Ground): Schedules => ({
  get: (names) =>
    writer.read(() => {
      const { sql } = look()
      return names.map((name) => scheduleOf(sql.schedule.get(name)))
    }),
  list: (limit, after = '') =>
    writer.read(() =>
      look()
        .sql.schedulesAfter.all(after, limit)
        .map((row) => scheduleOf(row)!),
    ),
  change: (changes) => writer.write((at) => changes.map((change) => apply(at, change))),
})

function apply(at: Moment, { name, version, next, firing }: Change): Applied {
  const stored = at.sql.schedule.get(name) as Row | undefined
  if ((stored?.version ?? 0) !== version) return 'stale'
  if (firing) submit(at, [firing])
  if (next) {
    at.sql.writeSchedule.run(name, next.due ?? null, number(at.sql.newVersion), pack(next.body))
  } else {
    at.sql.removeSchedule.run(name)
  }
  return 'applied'
}

interface Row {
  readonly name: string
  readonly due: number | null
  readonly version: number
  readonly body: string
}

function scheduleOf(row: unknown): Schedule | undefined {
  if (row === undefined) return undefined
  const { name, due, version, body } = row as Row
  return { name, version, body: unpack(body), ...(due !== null && { due }) }
}

/** Names of what is due, the longest first, and when the next will be. */
export function planned({ sql, now }: Moment, limit: number): { due: string[]; next: EpochMillis } {
  const due = (sql.dueSchedules.all(now, limit) as [string][]).map(([name]) => name)
  return { due, next: number(sql.nextSchedule, now) || Number.POSITIVE_INFINITY }
}
