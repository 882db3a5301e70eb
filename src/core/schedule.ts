import type { Body, Change, EpochMillis, Job, Millis, Submission } from '../port/index.ts'
import { packValue, unpackValue } from './body.ts'
import { lastUntil, nextAfter, type Rule } from './recurrence.ts'

/** What was asked for. The same again changes nothing. */
export interface Plan {
  readonly rule: Rule
  /** What is submitted, as JSON, with {@link MARKER} in the place of the id. */
  readonly work: string
  /** What that is, for people: a task's name, or the form of a flow. */
  readonly title: string
  readonly start?: EpochMillis
  readonly end?: EpochMillis
  /** How many times it is fired at all. */
  readonly limit?: number
  /** Each firing comes so much later at the most, by a number made from its name and due time. */
  readonly jitter?: Millis
  readonly missed: Missed
  readonly overlap: Overlap
}

/** What becomes of due times that nobody fired in time. */
export type Missed = 'skip' | 'latest' | 'all'
/** What becomes of a due time while the last firing's work has not ended. */
export type Overlap = 'allow' | 'skip' | 'queue'

/** Where a schedule stands. */
export interface Course {
  readonly paused: boolean
  /** Firings of this plan. */
  readonly fired: number
  /** The due time that is to be seen to next; absent once it is over. */
  readonly next?: EpochMillis
  /** The id of the last firing. */
  readonly last?: string
  /** `next` was seen to in time, and waits for the last firing's work to end. */
  readonly held?: true
  /** The latest, oldest first; at most {@link HISTORY}. */
  readonly history: readonly Entry[]
}

/** What became of one due time, or of several that were missed. */
export interface Entry {
  readonly due: EpochMillis
  readonly at: EpochMillis
  /** The job or flow that was submitted. */
  readonly id?: string
  /** Why it was not. */
  readonly skipped?: 'missed' | 'overlap'
  /** If several, how many due times, the one given being the last; up to {@link MOST_MISSED} are counted. */
  readonly count?: number
}

/** All of a schedule that a backend stores as its body. */
export interface Stored {
  readonly plan: Plan
  readonly course: Course
  /** Declared with a worker, so that it may vanish from the code. */
  readonly declared?: boolean
}

/** Entries that are kept. */
export const HISTORY = 20
/** Missed due times that are looked at. */
export const MOST_MISSED = 100
/** Later than this, a due time is missed. */
export const ON_TIME: Millis = 60_000
/** While the last firing's work goes on, a held one is looked at again after so long. */
const HOLD: Millis = 1_000
/** Stands for the id in stored work. No id holds it, and no input by chance. */
export const MARKER = '@7f1c9a52-firing'

/** @throws UsageError PAYLOAD_TOO_LARGE */
export const packStored = (stored: Stored): Body => packValue(stored, 'schedule', Number.POSITIVE_INFINITY)
export const unpackStored = (body: Body): Stored => unpackValue(body) as Stored

/** The id of what is submitted for a due time. */
export const firingId = (name: string, due: EpochMillis): string =>
  `${name}@${new Date(due).toISOString().replace('.000Z', 'Z')}`

/** What a plan submits, under an id. */
export const workOf = ({ work }: Plan, id: string): Submission =>
  JSON.parse(work.replaceAll(MARKER, JSON.stringify(id).slice(1, -1))) as Submission

/** The job or flow that a submission starts with, as its jobs would be without times of their own. */
export const isFlow = ({ work }: Plan): boolean =>
  (JSON.parse(work) as { joins?: unknown }).joins !== undefined

/** A new schedule's course. */
export const begin = (plan: Plan, now: EpochMillis): Course => ({
  paused: false,
  fired: 0,
  history: [],
  ...from(plan, now),
})

/** A course under another plan: a pause and the history stay. */
export const replan = (course: Course, plan: Plan, now: EpochMillis): Course => ({
  ...begin(plan, now),
  paused: course.paused,
  history: course.history,
  ...(course.last !== undefined && { last: course.last }),
})

export const pause = (course: Course): Course => ({ ...course, paused: true })

/** Due times that passed meanwhile are not missed: they were not wanted. */
export function resume({ next: _, held: __, ...course }: Course, plan: Plan, now: EpochMillis): Course {
  return { ...course, paused: false, ...(isOver(plan, course.fired) ? {} : from(plan, now)) }
}

/** Fired by hand; its due times stay as they are. */
export function runNow(name: string, { next, ...course }: Course, plan: Plan, now: EpochMillis) {
  // Twice in a millisecond are two firings, too.
  const at = course.last === undefined ? now : Math.max(now, dueOfFiring(course.last) + 1)
  const id = firingId(name, at)
  const fired = course.fired + 1
  const after: Course = {
    ...note(course, { due: at, at: now, id }),
    fired,
    last: id,
    ...(next !== undefined && !isOver(plan, fired) && { next }),
  }
  return { id, course: after }
}

/** When a stored schedule is to be looked at. */
export const dueOf = (name: string, { plan, course }: Stored): EpochMillis | undefined =>
  course.paused || course.next === undefined ? undefined : course.next + jitterOf(name, course.next, plan)

/** What is stored of a schedule; `hold`: look at it then, whatever its course says. */
export function nextOf(name: string, stored: Stored, hold?: EpochMillis): Required<Change>['next'] {
  const due = hold ?? dueOf(name, stored)
  return { body: packStored(stored), ...(due !== undefined && { due }) }
}

/** What is to be done about a schedule that is due: its course from then on, and the id to fire. */
export interface Step {
  readonly course: Course
  readonly fire?: string
  /** Look again then, whatever the course says. */
  readonly hold?: EpochMillis
  /** Due times that nobody saw to. */
  readonly missed?: number
}

/** See to the next due time, or to all that were missed. `busy`: the last firing's work has not ended. */
export function step(name: string, { plan, course }: Stored, now: EpochMillis, busy: boolean): Step {
  const { next, held, ...rest } = course
  if (next === undefined) return { course }
  const found = lastUntil(plan.rule, next, Math.min(now, plan.end ?? now), MOST_MISSED)
  const dues = found.filter((due) => due + jitterOf(name, due, plan) <= now)
  // Its time has come nearer since it was stored, or it never comes.
  if (dues.length === 0) return { course: { ...rest, ...from(plan, next - 1) } }
  if (busy && plan.overlap === 'queue') return { course: { ...course, held: true }, hold: now + HOLD }

  const seen = plan.missed === 'all' ? dues.slice(0, 1) : dues
  const due = seen.at(-1)!
  const over = { ...rest, ...from(plan, due) }
  const skip = (skipped: 'missed' | 'overlap', all: readonly EpochMillis[], at: Course): Course =>
    note(at, { due: all.at(-1)!, at: now, skipped, ...(all.length > 1 && { count: all.length }) })

  if (busy && plan.overlap === 'skip') return { course: skip('overlap', seen, over) }
  const late = now - due - jitterOf(name, due, plan)
  if (plan.missed === 'skip' && !held && late > ON_TIME) {
    return { course: skip('missed', seen, over), missed: seen.length }
  }
  const left = seen.slice(0, -1)
  const before = left.length > 0 ? skip(held ? 'overlap' : 'missed', left, over) : over
  const id = firingId(name, due)
  const { next: following, ...fired } = note(before, { due, at: now, id })
  const count = course.fired + 1
  return {
    course: {
      ...fired,
      fired: count,
      last: id,
      ...(following !== undefined && !isOver(plan, count) && { next: following }),
    },
    fire: id,
    ...(left.length > 0 && !held && { missed: left.length }),
  }
}

/** The due times from then on, as they are without jitter. */
export function upcoming(
  { rule, start, end, limit }: Plan,
  { fired }: Course,
  now: EpochMillis,
  most: number,
): EpochMillis[] {
  const found: EpochMillis[] = []
  const left = Math.min(most, limit === undefined ? most : limit - fired)
  let due = nextAfter(rule, Math.max(now, (start ?? 0) - 1))
  while (due !== undefined && found.length < left && !(end !== undefined && due > end)) {
    found.push(due)
    due = nextAfter(rule, due)
  }
  return found
}

/** Jobs of a submission that stands in a plan. */
export const jobsOf = ({ work }: Plan): readonly Job[] => (JSON.parse(work) as Submission).jobs

const isOver = ({ limit }: Plan, fired: number): boolean => limit !== undefined && fired >= limit

/** The first due time after `after`, if the plan still has one. */
function from({ rule, start = 0, end }: Plan, after: EpochMillis): { next?: EpochMillis } {
  const next = nextAfter(rule, Math.max(after, start - 1))
  return next === undefined || (end !== undefined && next > end) ? {} : { next }
}

const note = <C extends Course>(course: C, entry: Entry): C => ({
  ...course,
  history: [...course.history, entry].slice(-HISTORY),
})

/** The same for every process: FNV-1a of name and due time, as a part of the jitter; never into the next due time. */
function jitterOf(name: string, due: EpochMillis, { jitter, rule }: Plan): Millis {
  if (!jitter) return 0
  let hash = 0x811c9dc5
  for (const char of `${name}@${due}`) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
  const room = (nextAfter(rule, due) ?? Number.POSITIVE_INFINITY) - due - 1
  return (hash >>> 0) % (Math.min(jitter, room) + 1)
}

const dueOfFiring = (id: string): EpochMillis => Date.parse(id.slice(id.lastIndexOf('@') + 1))
