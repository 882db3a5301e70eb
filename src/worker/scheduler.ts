import type { Logger } from '../core/definition.ts'
import { nextOf, type Stored, step, unpackStored, workOf } from '../core/schedule.ts'
import {
  type Backend,
  type Change,
  type EpochMillis,
  type FlowState,
  isFinal,
  type Schedule,
  type State,
} from '../port/index.ts'

/** Schedules seen to in one go: each may hold a flow. */
const PAGE = 50

/** Fires what is due. Every worker does it and none leads: of those that find a schedule due, one changes it. */
export interface Scheduler {
  /**
   * See to these schedules.
   *
   * @returns how many moved on
   */
  fire(names: readonly string[], now: EpochMillis): Promise<number>
}

export function createScheduler(backend: Backend, logger: Logger): Scheduler {
  /** Those that this worker can't see to are told once, and left to workers that can. */
  const beyond = new Set<string>()

  /** What this worker can make of a schedule; one that it can't must not keep back the others. */
  function attempt<T>(name: string, make: () => T): T | undefined {
    try {
      return make()
    } catch (error) {
      if (!beyond.has(name)) {
        beyond.add(name)
        const message = 'this worker can’t see to a schedule: was it stored by a newer version?'
        logger.error({ schedule: name, error: (error as Error).message }, message)
      }
      return undefined
    }
  }

  async function firePage(names: readonly string[], now: EpochMillis): Promise<number> {
    const found = (await backend.schedules.get(names)).flatMap((schedule) => {
      if (schedule?.due === undefined || schedule.due > now) return []
      const stored = attempt(schedule.name, () => unpackStored(schedule.body))
      return stored ? [{ ...schedule, stored }] : []
    })
    const asked = found.flatMap(({ stored }) =>
      stored.plan.overlap !== 'allow' && stored.course.last !== undefined ? [stored.course.last] : [],
    )
    const records = asked.length > 0 ? await backend.records.get(asked) : []
    const busy = new Set(asked.filter((_, i) => isLive(records[i]?.state)))

    const moves = found.flatMap((each) => attempt(each.name, () => moveOf(each, now, busy)) ?? [])
    if (moves.length === 0) return 0
    const answers = await backend.schedules.change(moves.map(({ change }) => change))
    for (const [i, { change, missed }] of moves.entries()) {
      if (missed && answers[i] === 'applied') {
        logger.warn({ schedule: change.name, missed }, 'due times of a schedule were missed: no worker ran')
      }
    }
    return answers.filter((answer) => answer === 'applied').length
  }

  return {
    async fire(names, now) {
      let moved = 0
      for (let at = 0; at < names.length; at += PAGE) moved += await firePage(names.slice(at, at + PAGE), now)
      return moved
    },
  }
}

function moveOf(
  { name, version, stored }: Schedule & { stored: Stored },
  now: EpochMillis,
  busy: ReadonlySet<string>,
): { change: Change; missed?: number } {
  const { course, fire, hold, missed } = step(name, stored, now, busy.has(stored.course.last ?? ''))
  const change = {
    name,
    version,
    next: nextOf(name, { ...stored, course }, hold),
    ...(fire !== undefined && { firing: workOf(stored.plan, fire) }),
  }
  return { change, ...(missed !== undefined && { missed }) }
}

/** Of a job or a flow: not ended, and there is a record of it. */
const isLive = (state: State | FlowState | undefined): boolean => state !== undefined && !isFinal(state)
