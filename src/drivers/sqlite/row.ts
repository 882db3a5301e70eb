import type { Due, Job, Slot } from '../../port/index.ts'
import type { Value } from './library.ts'
import { unpack } from './text.ts'

/** The numbers of the states in the tables: their index in `jobStates`. */
export const SCHEDULED = 0
export const WAITING = 1
export const ACTIVE = 2
export const RETRYING = 3
export const SUCCEEDED = 4
export const FAILED = 5
export const CANCELLED = 6
export const EXPIRED = 7

/** A job's row as the moves between states need it: all but what only readers look at. */
export interface Row {
  readonly seq: number
  readonly id: string
  readonly state: number
  readonly token: number
  readonly hold: number | null
  readonly failures: number
  readonly crashes: number
  readonly marked: number
  readonly keep_succeeded: number
  readonly keep_failed: number
  readonly flow: string | null
  readonly slot_join: string | null
  readonly slot_index: number | null
  readonly notify: string | null
  readonly expires: number | null
  readonly started: number | null
  readonly worker: string | null
  readonly attempts: string | null
}

export const ROW =
  'seq, id, state, token, hold, failures, crashes, marked, keep_succeeded, keep_failed, flow, slot_join, slot_index, ' +
  'notify, expires, started, worker, attempts'

/** A job as it was submitted; read in this order as an array, then by `jobOf`. */
export const JOB =
  'id, task, queue, body, priority, due_in, due_at, expires_in, keep_succeeded, keep_failed, flow, slot_join, ' +
  'slot_index, notify'

type JobCells = [
  id: string,
  task: string,
  queue: string,
  body: string,
  priority: number,
  due_in: number | null,
  due_at: number | null,
  expires_in: number | null,
  keep_succeeded: number,
  keep_failed: number,
  flow: string | null,
  slot_join: string | null,
  slot_index: number | null,
  notify: string | null,
]

/** How many cells `JOB` takes. */
export const JOB_CELLS = 14

/** The job in a row that begins with the cells of `JOB`. One shape for all, which keeps its readers fast. */
export function jobOf(cells: readonly Value[]): Job {
  const [
    id,
    task,
    queue,
    body,
    priority,
    dueIn,
    dueAt,
    expiresIn,
    keepSucceeded,
    keepFailed,
    flow,
    join,
    index,
    notify,
  ] = cells as unknown as JobCells
  const job: { -readonly [K in keyof Job]: Job[K] } = {
    id,
    task,
    queue,
    body: unpack(body),
    priority,
    keep: { succeeded: keepSucceeded, failed: keepFailed },
  }
  if (dueIn !== null) job.due = { in: dueIn }
  else if (dueAt !== null) job.due = { at: dueAt }
  if (expiresIn !== null) job.expiresIn = expiresIn
  if (flow !== null) job.flow = flow
  if (join !== null) job.reports = { join, index: index! }
  if (notify !== null) job.notify = notify
  return job
}

/** When a job submitted at `now` may first run. */
export function dueOf(due: Due | undefined, now: number): number {
  if (!due) return now
  return Math.ceil('in' in due ? now + due.in : due.at)
}

export function slotOf(row: {
  readonly slot_join: string | null
  readonly slot_index: number | null
}): Slot | undefined {
  return row.slot_join === null ? undefined : { join: row.slot_join, index: row.slot_index! }
}

/** How long the record stays once ended; a member of a flow goes with the flow. */
export function keepOf(
  row: { readonly flow: string | null; readonly keep_succeeded: number; readonly keep_failed: number },
  state: number,
): number | undefined {
  if (row.flow !== null) return undefined
  return state === SUCCEEDED ? row.keep_succeeded : row.keep_failed
}
