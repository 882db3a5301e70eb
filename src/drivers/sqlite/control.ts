import type { Cancelled, Control, Retried } from '../../port/index.ts'
import type { Ground } from './ground.ts'
import { CANCEL, covered, mark } from './ledger.ts'
import { lastPlace } from './line.ts'
import { exists, type Moment } from './moment.ts'
import { cancel, endMarked, expireIfLate, remember } from './moves.ts'
import { ACTIVE, FAILED, type Row, SUCCEEDED } from './row.ts'
import { unpack } from './text.ts'

/** Commands. */
export const createControl = ({ writer }: Ground): Control => ({
  cancel: (ids) => writer.write((at) => ids.map((id) => cancelOne(at, id))),
  retry: (ids) => writer.write((at) => ids.map((id) => retryOne(at, id))),
  shiftClock: (offset) =>
    writer.write((at) => {
      at.sql.setMeta.run(offset, 'offset')
      // What was scheduled may be due by now, and what is waited for may have expired.
      at.runnable = true
      at.told = true
    }),
})

function cancelOne(at: Moment, id: string): Cancelled {
  const row = at.sql.rowById.get(id) as Row | undefined
  if (!row) return exists(at.sql.flow, id) ? cancelFlow(at, id) : 'unknown'
  if (row.state >= SUCCEEDED || expireIfLate(at, row)) return 'final'
  if (row.state === ACTIVE) {
    at.sql.markJob.run(row.seq)
    if (!at.marks) at.sql.bumpMarks.run()
    at.marks = true
    return 'cancelling'
  }
  const fresh = !covered(at, row)
  cancel(at, row)
  endMarked(at)
  return fresh ? 'cancelled' : 'final'
}

function cancelFlow(at: Moment, id: string): Cancelled {
  if (isDecided(at, id)) return 'final'
  mark(at, id, id, CANCEL)
  endMarked(at)
  return isDecided(at, id) ? 'cancelled' : 'cancelling'
}

const isDecided = (at: Moment, join: string): boolean =>
  (at.sql.join.get(join) as { state: number }).state !== 0

function retryOne(at: Moment, id: string): Retried {
  const late = at.sql.rowById.get(id) as Row | undefined
  if (late) expireIfLate(at, late)
  const row = at.sql.rowById.get(id) as Row | undefined
  if (!row) return exists(at.sql.flow, id) ? 'member' : 'unknown'
  if (row.state === SUCCEEDED) return 'succeeded'
  if (row.state < FAILED) return 'live'
  if (row.slot_join !== null) return 'member'
  at.sql.retry.run(lastPlace(at), at.now, historyOf(at, row), row.seq)
  at.runnable = true
  at.changes.push({ id, notify: null })
  at.told = true
  return 'waiting'
}

/** Its history with the run that it ended with, if it was a run. */
function historyOf(at: Moment, row: Row): string | null {
  const { result, ended } = at.sql.ending.get(row.seq) as { result: string | null; ended: number }
  if (result === null) return row.attempts
  return remember(row, { start: row.started!, end: ended, worker: row.worker!, error: unpack(result) })
}
