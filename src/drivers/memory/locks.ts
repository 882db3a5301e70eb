import {
  type EpochMillis,
  idOf,
  isFinal,
  type Millis,
  type Receipt,
  type Submission,
  type Unique,
} from '../../port/index.ts'
import { reline } from './moves.ts'
import type { Row } from './row.ts'
import { isIdle, type Lock, never, type Space } from './space.ts'

/** How long a lock is left alone before it is seen whether its holder has ended. */
const LOOK: Millis = 600_000

/** Take a key for a submission; if another holds it, what becomes of the submission. */
export function claim(
  space: Space,
  submission: Submission,
  unique: Unique,
  at: EpochMillis,
): Receipt | undefined {
  const holder = space.locks.get(unique.key)
  if (holder && isHeld(space, holder, at)) {
    const row = space.rows.get(holder.id)
    if (unique.wins === 'first' || !row || !isNew(row)) return { id: holder.id, status: 'duplicate' }
    reline(space, row, submission.jobs[0]!, at)
    return { id: holder.id, status: 'replaced' }
  }
  const lock: Lock = {
    unique,
    id: idOf(submission),
    ends: unique.for === undefined ? never : at + unique.for,
  }
  space.locks.set(unique.key, lock)
  watch(space, lock, at)
  return undefined
}

/** Forget locks that are held no more. */
export function unlock(space: Space, at: EpochMillis): void {
  for (let top = space.locked.peek(); top && top.key <= at; top = space.locked.peek()) {
    const lock = space.locked.pop()!
    if (space.locks.get(lock.unique.key) !== lock) continue
    if (isHeld(space, lock, at)) watch(space, lock, at)
    else space.locks.delete(lock.unique.key)
  }
}

const watch = (space: Space, lock: Lock, at: EpochMillis): void =>
  space.locked.push(Math.min(lock.ends, lock.unique.until === 'elapsed' ? never : at + LOOK), lock)

function isHeld(space: Space, { unique, id, ends }: Lock, at: EpochMillis): boolean {
  if (ends <= at) return false
  if (unique.until === 'elapsed') return true
  const flow = space.joins.get(id)
  if (flow) return flow.state === 'active'
  const row = space.rows.get(id)
  if (!row || isFinal(row.state) || (isIdle(row) && row.expires <= at)) return false
  return unique.until === 'finished' || isNew(row)
}

/** It has not started. */
const isNew = ({ state }: Row): boolean => state === 'scheduled' || state === 'waiting'
