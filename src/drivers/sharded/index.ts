import { UsageError } from '../../errors.ts'
import { type Backend, idOf, type Submission } from '../../port/index.ts'
import { createConsumer } from './consumer.ts'
import { mergedEvents } from './events.ts'
import { mergedList } from './list.ts'
import { byCodePoints, mergeCounts, mergeWorkers } from './merge.ts'
import { type Part, partOf } from './part.ts'
import { byPart, createChorus } from './spread.ts'

export type { MarkedPage, Part, PartConsumer } from './part.ts'

/** A part that does not answer holds up the housekeeping of the others for so long at the most. */
const LATE = 1_000

/**
 * One namespace over several backends. A job, its whole flow and all that follows from them lie in one part, so
 * each part is whole by itself, and no step spans two. What is read of all is merged here.
 */
export function sharded(parts: readonly Part[]): Omit<Backend, 'diagnose' | typeof Symbol.asyncDispose> {
  const count = parts.length
  const of = (id: string) => partOf(id, count)
  let wanted = 0
  const sweeps = createChorus(count, (part) => parts[part]!.sweep(wanted))

  return {
    parts: { count, of },
    async submit(batch) {
      for (const submission of batch) refuseKey(submission)
      return byPart(
        batch,
        (submission) => of(idOf(submission)),
        (part, some) => parts[part]!.submit(some),
      )
    },
    consume: (options) => createConsumer(parts, of, options),

    async sweep(limit) {
      wanted = limit
      const { answers } = await sweeps.ask(LATE)
      const due = answers.flatMap(({ nextDue }) => (nextDue === undefined ? [] : [nextDue]))
      return {
        moved: answers.reduce((sum, { moved }) => sum + moved, 0),
        now: answers[0]?.now ?? Date.now(),
        ...(due.length > 0 && { nextDue: Math.min(...due) }),
        schedules: inTurn(answers.map(({ schedules }) => schedules)).slice(0, limit),
      }
    },

    events: (filter, signal) => mergedEvents(parts, of, filter, signal),

    records: {
      get: (ids) => byPart(ids, of, (part, some) => parts[part]!.records.get(some)),
      joins: (ids) => byPart(ids, of, (part, some) => parts[part]!.records.joins(some)),
      slots: (join, from, limit) => parts[of(join)]!.records.slots(join, from, limit),
      list: (filter, limit, cursor) => mergedList(parts, filter, limit, cursor),
      counts: async () => mergeCounts(await Promise.all(parts.map(({ records }) => records.counts()))),
      workers: async () => mergeWorkers(await Promise.all(parts.map(({ records }) => records.workers()))),
    },

    control: {
      cancel: (ids) => byPart(ids, of, (part, some) => parts[part]!.control.cancel(some)),
      retry: (ids) => byPart(ids, of, (part, some) => parts[part]!.control.retry(some)),
      async shiftClock(offset) {
        await Promise.all(parts.map(({ control }) => control.shiftClock(offset)))
      },
    },

    schedules: {
      get: (names) => byPart(names, of, (part, some) => parts[part]!.schedules.get(some)),
      async list(limit, after) {
        const all = await Promise.all(parts.map(({ schedules }) => schedules.list(limit, after)))
        return all
          .flat()
          .sort((a, b) => byCodePoints(a.name, b.name))
          .slice(0, limit)
      },
      async change(changes) {
        for (const { firing } of changes) if (firing) refuseKey(firing)
        return byPart(
          changes,
          ({ name }) => of(name),
          (part, some) => parts[part]!.schedules.change(some),
        )
      },
    },
  }
}

/** The first of each, then the second of each: where there is much, it keeps nobody else waiting. */
function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  return Array.from({ length: longest }, (_, i) => lists.flatMap((list) => list.slice(i, i + 1))).flat()
}

/** Who holds a key, another part would have to say in the same step. */
function refuseKey({ unique }: Submission): void {
  if (!unique) return
  throw new UsageError(
    'INVALID_OPTION',
    "Expected no unique key in a namespace of several shards, which can't see each other's. Use an id of your own, or one shard.",
  )
}
