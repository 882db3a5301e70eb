import {
  ATTEMPTS_KEPT,
  type Attempt,
  arrive,
  type Body,
  CRASH_LIMIT,
  type EndCode,
  type EpochMillis,
  type FinalState,
  type Job,
  type Ledger,
} from '../../port/index.ts'
import type { Row } from './row.ts'
import {
  below,
  covered,
  enter,
  type Flow,
  hint,
  isIdle,
  lineOf,
  never,
  type Space,
  type WorkerRow,
} from './space.ts'

// Every move of a job from one state to another. Each keeps the indexes of the space in step with the row.

/** A new job: waiting, scheduled, or stored as done; then its arrival is left to the caller. */
export function admit(space: Space, job: Job, at: EpochMillis): void {
  const due = dueOf(job, at)
  const row: Row = {
    job,
    serial: ++space.serials,
    state: 'scheduled',
    place: 0,
    token: 0,
    failures: 0,
    crashes: 0,
    marked: false,
    created: at,
    due: Math.max(due, at),
    next: due,
    expires: job.expiresIn === undefined ? never : Math.max(due, at) + job.expiresIn,
    started: undefined,
    ended: undefined,
    worker: undefined,
    progress: undefined,
    result: undefined,
    code: undefined,
    attempts: [],
    forget: never,
  }
  space.rows.set(job.id, row)
  if (job.flow) space.flows.get(job.flow)?.rows.push(row)
  if (job.done !== undefined) return conclude(space, row, 'succeeded', at, { result: job.done })
  if (row.expires !== never) space.expiring.push(row.expires, row)
  if (due > at) space.timed.push(due, row)
  else line(space, row)
}

/** To the end of its line. */
export function line(space: Space, row: Row): void {
  row.state = 'waiting'
  row.place = ++space.places
  lineOf(space, row.job.queue).push(row)
  if (space.outbox) enter(space.outbox, row)
}

/** To the front of its line: handed back, or its worker was lost. */
export function putBack(space: Space, row: Row): void {
  release(space, row)
  row.state = 'waiting'
  lineOf(space, row.job.queue).putBack(row)
  if (space.outbox) enter(space.outbox, row)
}

/** A job that has not started runs as another says, in its own line. */
export function reline(space: Space, row: Row, { due: when, ...job }: Job, at: EpochMillis): void {
  const { id, queue, priority, notify } = row.job
  row.job = {
    ...job,
    ...(when && { due: when }),
    id,
    queue,
    priority,
    ...(notify !== undefined && { notify }),
  }
  const due = dueOf(row.job, at)
  row.due = Math.max(due, at)
  row.expires = job.expiresIn === undefined ? never : row.due + job.expiresIn
  if (row.expires !== never) space.expiring.push(row.expires, row)
  if (due > at) {
    row.state = 'scheduled'
    row.next = due
    space.timed.push(due, row)
  } else if (row.state === 'scheduled') {
    line(space, row)
  }
}

const dueOf = ({ due }: Job, at: EpochMillis): EpochMillis => (!due ? at : 'in' in due ? at + due.in : due.at)

/** To run again later. */
export function postpone(space: Space, row: Row, next: EpochMillis): void {
  release(space, row)
  row.state = 'retrying'
  row.next = next
  space.timed.push(next, row)
}

/** A final end: record, retention, and everything that follows from it in the flow. */
export function end(space: Space, row: Row, state: FinalState, at: EpochMillis, how: How): void {
  conclude(space, row, state, at, how)
  const { id, reports } = row.job
  if (reports) arrive(ledger(space, at), reports, state === 'succeeded', id)
}

interface How {
  readonly result?: Body
  readonly code?: EndCode
}

/** A final end: record and retention. */
function conclude(space: Space, row: Row, state: FinalState, at: EpochMillis, how: How): void {
  release(space, row)
  row.state = state
  row.ended = at
  row.result = how.result
  row.code = how.code
  const { job } = row
  if (!job.flow) keepOrForget(space, row, at)
  if (space.listeners.size > 0) hint(space, job.id, job.notify)
}

/** A worker is gone: what it held runs elsewhere. Its record stays empty, should it come back. */
export function loseWorker(space: Space, worker: WorkerRow, at: EpochMillis): number {
  const rows = [...worker.held.values()]
  worker.held.clear()
  space.workers.delete(worker.name)
  for (const row of rows) lose(space, row, at)
  return rows.length
}

/** Its worker was lost under it. */
function lose(space: Space, row: Row, at: EpochMillis): void {
  row.crashes++
  remember(row, { start: row.started ?? at, end: at, worker: row.worker ?? '', code: 'WORKER_LOST' })
  if (covered(space, row)) end(space, row, 'cancelled', at, { code: 'CANCELLED' })
  else if (row.crashes >= CRASH_LIMIT) end(space, row, 'failed', at, { code: 'WORKER_LOST' })
  else putBack(space, row)
}

/** End an idle job whose time to start has passed, as the next sweep would; whether it has. */
export function expireIfLate(space: Space, row: Row, at: EpochMillis): boolean {
  if (!isIdle(row) || row.expires > at) return false
  end(space, row, 'expired', at, { code: 'EXPIRED' })
  return true
}

/** Promote what is due. */
export function promote(space: Space, at: EpochMillis): number {
  let moved = 0
  for (let top = space.timed.peek(); top && top.key <= at; top = space.timed.peek()) {
    const row = space.timed.pop()!
    if ((row.state !== 'scheduled' && row.state !== 'retrying') || row.next !== top.key) continue
    line(space, row)
    moved++
  }
  return moved
}

/** Keep a delivery that was retried or lost in the job's history. */
export function remember(row: Row, attempt: Attempt): void {
  row.attempts.push(attempt)
  if (row.attempts.length > ATTEMPTS_KEPT) row.attempts.shift()
}

/** End the idle members below marks that were set since the last call. */
export function endMarked(space: Space, at: EpochMillis): number {
  let moved = 0
  for (const flow of space.marked) {
    space.marked.delete(flow)
    for (const row of flow.rows) {
      if (!isIdle(row) || !covered(space, row)) continue
      // What had expired before the mark stays so, as readers have seen it.
      if (!expireIfLate(space, row, at)) end(space, row, 'cancelled', at, { code: 'CANCELLED' })
      moved++
    }
  }
  return moved
}

/** The arrive rule's view of this space, at one instant. */
export const ledger = (space: Space, at: EpochMillis): Ledger => ({
  join: (id) => space.joins.get(id),
  fill({ join, index }, ok, by) {
    const row = space.joins.get(join)
    if (!row || row.slots.has(index)) return undefined
    row.slots.set(index, { ok, by })
    if (!ok) row.failed++
    return { filled: row.slots.size, failed: row.failed }
  },
  decide({ id, root }, state) {
    const row = space.joins.get(id)!
    row.state = state
    row.ended = at
    if (!root) return
    const keep = state === 'succeeded' ? root.keep.succeeded : root.keep.failed
    space.fading.push(at + keep, { flow: space.flows.get(id)! })
    if (space.listeners.size > 0) hint(space, id, root.notify)
  },
  queue(jobs) {
    for (const job of jobs) admit(space, job, at)
  },
  cancelled(id) {
    const row = space.joins.get(id)!
    if (!space.flows.get(row.join.flow)?.marked) return false
    return row.mark === 'cancel' || (row.join.reports !== undefined && below(space, row.join.reports.join))
  },
  cancelMembers(id) {
    const row = space.joins.get(id)!
    row.mark ??= 'members'
    const flow = space.flows.get(row.join.flow)!
    mark(space, flow)
  },
})

/** Note that a mark was set somewhere in this flow: tell the workers, and have idle members ended. */
export function mark(space: Space, flow: Flow): void {
  flow.marked = true
  space.marked.add(flow)
  for (const row of flow.rows) if (row.state === 'active') tellWorker(space, row)
}

export function tellWorker(space: Space, row: Row): void {
  for (const listener of space.listeners) {
    if (listener.worker === row.worker) listener.hint({ id: row.job.id })
  }
}

/** No worker holds it any more, if one did. */
function release(space: Space, row: Row): void {
  if (row.state === 'active') space.workers.get(row.worker!)?.held.delete(row.job.id)
}

function keepOrForget(space: Space, row: Row, at: EpochMillis): void {
  const keep = row.state === 'succeeded' ? row.job.keep.succeeded : row.job.keep.failed
  if (keep === 0) {
    space.rows.delete(row.job.id)
    return
  }
  row.forget = at + keep
  space.fading.push(row.forget, { row })
}
