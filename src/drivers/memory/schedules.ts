import type { Applied, Change, EpochMillis, Schedule, Schedules } from '../../port/index.ts'
import { never, type Space } from './space.ts'
import { submit } from './submit.ts'

/** Recurring work of a space. */
export function createSchedules(space: Space): Schedules {
  return {
    get: async (names) => names.map((name) => space.schedules.get(name)),
    async list(limit, after) {
      const names = [...space.schedules.keys()].filter((name) => after === undefined || name > after)
      return names
        .sort()
        .slice(0, limit)
        .map((name) => space.schedules.get(name)!)
    },
    change: async (changes) => changes.map((change) => apply(space, change)),
  }
}

function apply(space: Space, { name, version, next, firing }: Change): Applied {
  if ((space.schedules.get(name)?.version ?? 0) !== version) return 'stale'
  if (firing) submit(space, [firing])
  if (!next) space.schedules.delete(name)
  else {
    const schedule: Schedule = { name, ...next, version: ++space.serials }
    space.schedules.set(name, schedule)
    if (next.due !== undefined) space.planned.push(next.due, schedule)
  }
  return 'applied'
}

/** Names of what is due, the longest first, and when the next will be. */
export function planned(space: Space, at: EpochMillis, limit: number): { due: string[]; next: EpochMillis } {
  const { planned: heap } = space
  const isStored = (schedule: Schedule) => space.schedules.get(schedule.name) === schedule
  const found: Schedule[] = []
  let top = heap.peek()
  for (; top && top.key <= at && found.length < limit; top = heap.peek()) {
    const schedule = heap.pop()!
    if (isStored(schedule)) found.push(schedule)
  }
  while (top && !isStored(top.value)) {
    heap.pop()
    top = heap.peek()
  }
  for (const schedule of found) heap.push(schedule.due!, schedule)
  return { due: found.map(({ name }) => name), next: top?.key ?? never }
}
