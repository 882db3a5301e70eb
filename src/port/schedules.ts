import type { Applied } from './delivery.ts'
import type { Body, EpochMillis, Submission } from './job.ts'

/**
 * What is submitted again and again. A driver keeps it, finds what is due and changes it in one step with what it
 * submits; when and what that is, the core knows.
 */
export interface Schedule {
  readonly name: string
  /** When it is to be looked at next; absent while it is not to be. */
  readonly due?: EpochMillis
  readonly body: Body
  /** Another at every write, and never the same again, even if it was removed between. */
  readonly version: number
}

/** One step of one schedule: all of it takes effect, or none of it does. */
export interface Change {
  readonly name: string
  /** The version that it stands on, 0 for none stored. If another is stored, it is stale. */
  readonly version: number
  /** What is stored from then on; absent: it is removed. */
  readonly next?: Pick<Schedule, 'due' | 'body'>
  /** Submitted with it. Should its id be known, it changes nothing, and the schedule still moves on. */
  readonly firing?: Submission
}

export interface Schedules {
  get(names: readonly string[]): Promise<(Schedule | undefined)[]>
  /** By name in the order of code points, those after `after`. */
  list(limit: number, after?: string): Promise<Schedule[]>
  /** Each by itself, in order. So of any number that found a schedule due, one fires it. */
  change(changes: readonly Change[]): Promise<Applied[]>
}
