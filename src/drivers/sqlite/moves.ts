import { ATTEMPTS_KEPT, type Attempt, CRASH_LIMIT, type EndCode } from '../../port/index.ts'
import { covered, follow } from './ledger.ts'
import { type Moment, number } from './moment.ts'
import { CANCELLED, EXPIRED, FAILED, keepOf, type Row } from './row.ts'

// Every move of a job out of the active state, and every end that the driver makes itself.

/** Members of one flow that are ended in one go. */
const PAGE = 1000

/** A final end that the driver makes: the record, its retention, and all that follows from it in a flow. */
export function end(at: Moment, row: Row, state: number, code: EndCode): void {
  const keep = keepOf(row, state)
  if (keep === 0) at.sql.endUnkept.run(row.seq)
  else {
    const forget = keep === undefined ? null : at.now + keep
    at.sql.end.run(state, code, at.now, forget, row.failures, row.crashes, row.attempts, row.seq)
  }
  follow(at, row, state)
}

export const cancel = (at: Moment, row: Row): void => end(at, row, CANCELLED, 'CANCELLED')

export const expire = (at: Moment, row: Row): void => end(at, row, EXPIRED, 'EXPIRED')

/** idle → expired, if its time has come: commands see a job as readers do, before any sweep. */
export function expireIfLate(at: Moment, row: Row): boolean {
  if (row.expires === null || row.expires > at.now) return false
  expire(at, row)
  return true
}

/** active → waiting, cancelled, or failed at the crash limit: its worker was lost under it. */
export function lose(at: Moment, row: Row): void {
  const crashes = row.crashes + 1
  const attempts = remember(row, {
    start: row.started ?? at.now,
    end: at.now,
    worker: row.worker ?? '',
    code: 'WORKER_LOST',
  })
  if (covered(at, row)) cancel(at, { ...row, crashes, attempts })
  else if (crashes >= CRASH_LIMIT) end(at, { ...row, crashes, attempts }, FAILED, 'WORKER_LOST')
  else {
    at.sql.putBack.run(crashes, attempts, row.seq)
    at.runnable = true
    at.changes.push({ id: row.id, notify: null })
  }
}

/** The history with one more delivery that was retried or lost. */
export function remember(row: Row, attempt: Attempt): string {
  const attempts = row.attempts === null ? [] : (JSON.parse(row.attempts) as Attempt[])
  attempts.push(attempt)
  return JSON.stringify(attempts.slice(-ATTEMPTS_KEPT))
}

/** End idle members of flows in which a mark was set, a page of each. What is left is the sweep's. */
export function endMarked(at: Moment, limit = PAGE): number {
  let moved = 0
  for (const [flow] of at.sql.unswept.all(limit) as [string][]) {
    if (moved >= limit) break
    moved += endBelowMarks(at, flow, limit - moved)
  }
  return moved
}

function endBelowMarks(at: Moment, flow: string, limit: number): number {
  // First, since a cancelled member may put a further mark in this flow, which is not to be forgotten.
  at.sql.setUnswept.run(null, flow)
  // Where the whole flow is cancelled, the first page will do; otherwise those below a mark have to be found.
  const all = (at.sql.join.get(flow) as { mark: number | null }).mark !== null
  let moved = 0
  for (const row of at.sql.idleMembers.all(flow, all ? limit : -1) as Row[]) {
    if (moved === limit) break
    if (!covered(at, row)) continue
    // What had expired before the mark stays so, as readers have seen it.
    if (!expireIfLate(at, row)) cancel(at, row)
    moved++
  }
  if (moved === limit) at.sql.setUnswept.run(at.now, flow)
  return moved
}

/** Tell the workers of due times, so that they need no sweep to be on time. */
export const untilNextDue = (at: Moment): number | undefined => {
  const next = number(at.sql.nextDue)
  return next === 0 ? undefined : Math.max(0, next - at.now)
}
