import { invalid } from '../core/options.ts'
import { ruleText } from '../core/recurrence.ts'
import {
  begin,
  type Course,
  dueOf,
  isFlow,
  jobsOf,
  nextOf,
  pause,
  replan,
  resume,
  runNow,
  type Stored,
  unpackStored,
  upcoming,
  workOf,
} from '../core/schedule.ts'
import { checkScheduleName, type DefinitionValue, planOf } from '../core/schedule-options.ts'
import { validate } from '../core/schema.ts'
import { BackendError, UsageError } from '../errors.ts'
import type { EpochMillis, Schedule, Submission } from '../port/index.ts'
import type { Client } from './client.ts'

/** A schedule, as it stands. */
export interface ScheduleInfo {
  readonly name: string
  /** `0 3 * * * (Europe/Paris)`, `every 5m`. */
  readonly when: string
  /** Of a cron expression: the zone by whose clock it goes. */
  readonly timezone?: string
  /** What it fires: a task's name, or the form of a flow, such as `chain of 3`. */
  readonly work: string
  readonly queues: readonly string[]
  /** `over`: its end or its limit is reached. */
  readonly state: 'active' | 'paused' | 'over'
  /** When it is due next, jitter included; absent while it is paused, and when it is over. */
  readonly next?: Date
  /** How often it was fired since it was defined so. */
  readonly fired: number
  /** The id of what was fired last. */
  readonly last?: string
  readonly missed: 'skip' | 'latest' | 'all'
  readonly overlap: 'allow' | 'skip' | 'queue'
  readonly start?: Date
  readonly end?: Date
  readonly limit?: number
  /** Milliseconds. */
  readonly jitter?: number
  /** The latest 20 due times and what became of them, oldest first. */
  readonly history: readonly ScheduleEntry[]
}

/** What became of a due time. */
export interface ScheduleEntry {
  readonly due: Date
  readonly at: Date
  /** The job or flow that was fired. */
  readonly id?: string
  readonly skipped?: 'missed' | 'overlap'
  /** Of missed ones, how many: the one told is the last. At most 100 are counted. */
  readonly count?: number
}

/** What became of a definition. */
export type Defined = 'created' | 'unchanged' | 'replaced'

/** What handles of schedules do, by name. */
export interface Scheduling {
  define(definition: DefinitionValue, declared: boolean): Promise<Defined>
  info(name: string): Promise<ScheduleInfo | undefined>
  list(): Promise<ScheduleInfo[]>
  /** @throws UsageError UNKNOWN_SCHEDULE */
  next(name: string, count: number): Promise<Date[]>
  pause(name: string): Promise<void>
  resume(name: string): Promise<void>
  /** Fire it now; the id, and whether it is a flow. */
  run(name: string): Promise<{ id: string; isFlow: boolean }>
  remove(name: string): Promise<boolean>
  /** Names that were declared by workers, and are not among these. */
  vanished(names: readonly string[]): Promise<string[]>
}

const PAGE = 100
const MOST_NEXT = 1_000
/** Others may change it at the same moment. */
const TRIES = 20

export function createScheduling({ backend, config }: Pick<Client, 'backend' | 'config'>): Scheduling {
  const { schedules } = backend

  async function read(name: string): Promise<{ schedule?: Schedule; stored?: Stored; now: EpochMillis }> {
    const [[schedule], { now }] = await Promise.all([schedules.get([name]), backend.sweep(1)])
    return { now, ...(schedule && { schedule, stored: unpackStored(schedule.body) }) }
  }

  /** Change what is stored, from what it is then; `undefined` leaves it. */
  async function change<T>(
    name: string,
    make: (
      stored: Stored | undefined,
      now: EpochMillis,
    ) => { to: Stored; firing?: Submission; answer: T } | { answer: T },
  ): Promise<T> {
    for (let tries = 0; tries < TRIES; tries++) {
      const { schedule, stored, now } = await read(name)
      const made = make(stored, now)
      if (!('to' in made)) return made.answer
      const { to, firing, answer } = made
      const [applied] = await schedules.change([
        {
          name,
          version: schedule?.version ?? 0,
          next: nextOf(name, to),
          ...(firing && { firing }),
        },
      ])
      if (applied === 'applied') return answer
    }
    throw new BackendError(
      'BACKEND_ERROR',
      `The schedule "${name}" is changed by others all the time. Try again.`,
      {
        retryable: true,
      },
    )
  }

  const course = (name: string, move: (stored: Stored, now: EpochMillis) => Course) =>
    change(name, (stored, now) => {
      if (!stored) throw unknown(name)
      return { to: { ...stored, course: move(stored, now) }, answer: undefined }
    })

  async function all(): Promise<Schedule[]> {
    const found: Schedule[] = []
    for (let after: string | undefined; ; after = found.at(-1)!.name) {
      const page = await schedules.list(PAGE, after)
      found.push(...page)
      if (page.length < PAGE) return found
    }
  }

  return {
    async define(definition, declared) {
      const { name } = definition
      const checks: Promise<unknown>[] = []
      const plan = planOf(definition, {
        app: config.settings,
        payloadLimit: config.payloadLimit,
        check({ input }, given) {
          const checked = input && validate(input, given)
          if (checked instanceof Promise) checks.push(checked)
        },
      })
      await Promise.all(checks)
      return change(name, (stored, now): { to: Stored; answer: Defined } | { answer: Defined } => {
        const origin = declared ? { declared } : {}
        if (!stored) return { to: { plan, course: begin(plan, now), ...origin }, answer: 'created' }
        if (JSON.stringify(stored.plan) === JSON.stringify(plan)) {
          // From now on a worker answers for it.
          if (declared && !stored.declared) return { to: { ...stored, declared }, answer: 'unchanged' }
          return { answer: 'unchanged' }
        }
        return { to: { plan, course: replan(stored.course, plan, now), ...origin }, answer: 'replaced' }
      })
    },

    async info(name) {
      const [schedule] = await schedules.get([checkScheduleName(name)])
      return schedule && infoOf(schedule)
    },

    list: async () => (await all()).map(infoOf),

    async next(name, count) {
      if (!Number.isSafeInteger(count) || count < 1 || count > MOST_NEXT) {
        throw invalid('count', `a whole number from 1 to ${MOST_NEXT}`, count)
      }
      const { stored, now } = await read(name)
      if (!stored) throw unknown(name)
      return stored.course.paused
        ? []
        : upcoming(stored.plan, stored.course, now, count).map((due) => new Date(due))
    },

    pause: (name) => course(name, (stored) => pause(stored.course)),
    resume: (name) => course(name, ({ plan, course: at }, now) => (at.paused ? resume(at, plan, now) : at)),

    run: (name) =>
      change(name, (stored, now) => {
        if (!stored) throw unknown(name)
        const { id, course: to } = runNow(name, stored.course, stored.plan, now)
        return {
          to: { ...stored, course: to },
          firing: workOf(stored.plan, id),
          answer: { id, isFlow: isFlow(stored.plan) },
        }
      }),

    async remove(name) {
      for (;;) {
        const [schedule] = await schedules.get([checkScheduleName(name)])
        if (!schedule) return false
        const [applied] = await schedules.change([{ name, version: schedule.version }])
        if (applied === 'applied') return true
      }
    },

    async vanished(names) {
      const declared = (await all()).filter(({ body }) => unpackStored(body).declared)
      return declared.flatMap(({ name }) => (names.includes(name) ? [] : [name]))
    },
  }
}

const unknown = (name: string): UsageError =>
  new UsageError('UNKNOWN_SCHEDULE', `There is no schedule "${name}".`)

function infoOf({ name, body }: Schedule): ScheduleInfo {
  const stored = unpackStored(body)
  const { plan, course } = stored
  const { start, end, limit, jitter, missed, overlap } = plan
  const next = dueOf(name, stored)
  return {
    name,
    when: ruleText(plan.rule),
    ...(plan.rule.kind === 'cron' && { timezone: plan.rule.timezone }),
    work: plan.title,
    queues: [...new Set(jobsOf(plan).map(({ queue }) => queue))],
    state: course.paused ? 'paused' : course.next === undefined ? 'over' : 'active',
    ...(next !== undefined && { next: new Date(next) }),
    fired: course.fired,
    ...(course.last !== undefined && { last: course.last }),
    missed,
    overlap,
    ...(start !== undefined && { start: new Date(start) }),
    ...(end !== undefined && { end: new Date(end) }),
    ...(limit !== undefined && { limit }),
    ...(jitter !== undefined && { jitter }),
    history: course.history.map(({ due, at, ...rest }) => ({
      due: new Date(due),
      at: new Date(at),
      ...rest,
    })),
  }
}
