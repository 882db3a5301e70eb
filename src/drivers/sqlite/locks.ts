import { idOf, type Job, type Millis, type Receipt, type Submission, type Unique } from '../../port/index.ts'
import type { JoinRow } from './ledger.ts'
import { lastPlace } from './line.ts'
import type { Moment } from './moment.ts'
import { ACTIVE, dueOf, SCHEDULED, SUCCEEDED, WAITING } from './row.ts'
import { pack, unpack } from './text.ts'

/** How long a lock is left alone before it is seen whether its holder has ended. */
const LOOK: Millis = 600_000

interface Lock {
  readonly name: string
  readonly id: string
  readonly until: Unique['until']
  readonly ends: number | null
}

interface Holder {
  readonly seq: number
  readonly state: number
  readonly expires: number | null
}

/** Take a key for a submission; if another holds it, what becomes of the submission. */
export function claim(at: Moment, submission: Submission, unique: Unique): Receipt | undefined {
  const { sql, now } = at
  const name = pack(unique.key)
  const lock = sql.lock.get(name) as Lock | undefined
  if (lock && isHeld(at, lock)) {
    const id = unpack(lock.id)
    const row = sql.holder.get(lock.id) as Holder | undefined
    if (unique.wins === 'first' || !row || !isNew(row)) return { id, status: 'duplicate' }
    reline(at, row, submission.jobs[0]!)
    at.changes.push({ id, notify: null })
    return { id, status: 'replaced' }
  }
  const ends = unique.for === undefined ? null : now + unique.for
  sql.writeLock.run(name, idOf(submission), unique.until, ends, lookAt(at, unique.until, ends))
  return undefined
}

/** Forget a page of locks that are held no more. */
export function unlock(at: Moment, limit: number): void {
  for (const lock of at.sql.locksToSee.all(at.now, limit) as Lock[]) {
    if (isHeld(at, lock)) at.sql.lookLock.run(lookAt(at, lock.until, lock.ends), lock.name)
    else at.sql.removeLock.run(lock.name)
  }
}

const lookAt = ({ now }: Moment, until: Unique['until'], ends: number | null): number =>
  until === 'elapsed' && ends !== null ? ends : Math.min(ends ?? now + LOOK, now + LOOK)

function isHeld({ sql, now }: Moment, { id, until, ends }: Lock): boolean {
  if (ends !== null && ends <= now) return false
  if (until === 'elapsed') return true
  const row = sql.holder.get(id) as Holder | undefined
  if (!row) return (sql.join.get(id) as JoinRow | undefined)?.state === 0
  if (row.state >= SUCCEEDED || (row.state !== ACTIVE && row.expires !== null && row.expires <= now))
    return false
  return until === 'finished' || isNew(row)
}

/** It has not started. */
const isNew = ({ state }: Holder): boolean => state === SCHEDULED || state === WAITING

/** A job that has not started runs as another says, in its own line. */
function reline(at: Moment, { seq, state }: Holder, { task, body, due, expiresIn, keep }: Job): void {
  const next = dueOf(due, at.now)
  const first = Math.max(next, at.now)
  const isDue = next <= at.now
  at.sql.reline.run(
    isDue && state === SCHEDULED ? lastPlace(at) : seq,
    isDue ? WAITING : SCHEDULED,
    task,
    pack(body),
    first,
    due && 'in' in due ? due.in : null,
    due && 'at' in due ? due.at : null,
    isDue ? null : next,
    expiresIn ?? null,
    expiresIn === undefined ? null : first + expiresIn,
    keep.succeeded,
    keep.failed,
    seq,
  )
  at.runnable = true
}
