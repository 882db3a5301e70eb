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
  /** Those that this version can't read are told once, and left to workers that can. */
  const unreadable = new Set<string>()

  function read({ name, body }: Schedule): Stored | undefined {
    try {
      return unpackStored(body)
    } catch (error) {
      if (!unreadable.has(name)) {
        unreadable.add(name)
        const message = 'this worker can’t read a schedule: was it stored by a newer version?'
        logger.error({ schedule: name, error: (error as Error).message }, message)
      }
      return undefined
    }
  }

  async function firePage(names: readonly string[], now: EpochMillis): Promise<number> {
    const found = (await backend.schedules.get(names)).flatMap((schedule) => {
      const stored = schedule && schedule.due !== undefined && schedule.due <= now && read(schedule)
      return stored ? [{ ...schedule, stored }] : []
    })
    const asked = found.flatMap(({ stored }) =>
      stored.plan.overlap !== 'allow' && stored.course.last !== undefined ? [stored.course.last] : [],
    )
    const records = asked.length > 0 ? await backend.records.get(asked) : []
    const busy = new Set(asked.filter((_, i) => isLive(records[i]?.state)))

    const steps = found.map(({ name, stored }) => step(name, stored, now, busy.has(stored.course.last ?? '')))
    const changes = found.map(({ name, version, stored }, i): Change => {
      const { course, fire, hold } = steps[i]!
      return {
        name,
        version,
        next: nextOf(name, { ...stored, course }, hold),
        ...(fire !== undefined && { firing: workOf(stored.plan, fire) }),
      }
    })
    if (changes.length === 0) return 0
    const answers = await backend.schedules.change(changes)
    for (const [i, { name }] of changes.entries()) {
      const { missed } = steps[i]!
      if (missed && answers[i] === 'applied') {
        logger.warn({ schedule: name, missed }, 'due times of a schedule were missed: no worker ran')
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

/** Of a job or a flow: not ended, and there is a record of it. */
const isLive = (state: State | FlowState | undefined): boolean => state !== undefined && !isFinal(state)
