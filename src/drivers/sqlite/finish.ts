import type { Applied, Outcome } from '../../port/index.ts'
import type { Tag } from './claim.ts'
import { covered, follow } from './ledger.ts'
import type { Moment } from './moment.ts'
import { cancel, remember } from './moves.ts'
import { ACTIVE, CANCELLED, FAILED, keepOf, type Row, SUCCEEDED } from './row.ts'
import { pack } from './text.ts'

const numbers = { succeeded: SUCCEEDED, failed: FAILED, cancelled: CANCELLED }

/**
 * What became of one delivery, fenced: a token that has moved on writes nothing. A final end is one
 * statement, since everything else that it needs to know stands in the delivery.
 */
export function finish(at: Moment, worker: string, { delivery, end }: Outcome): Applied {
  const { job, token } = delivery
  const { seq, hold } = delivery.tag as Tag
  if (end.kind === 'final') {
    const state = numbers[end.state]
    const row = {
      id: job.id,
      notify: job.notify ?? null,
      flow: job.flow ?? null,
      slot_join: job.reports?.join ?? null,
      slot_index: job.reports?.index ?? null,
      keep_succeeded: job.keep.succeeded,
      keep_failed: job.keep.failed,
    }
    const keep = keepOf(row, state)
    const forget = keep === undefined ? null : at.now + keep
    const { changes } =
      keep === 0
        ? at.sql.finishUnkept.run(seq, token, hold)
        : at.sql.finish.run(state, pack(end.result), at.now, forget, seq, token, hold)
    if (Number(changes) === 0) return 'stale'
    follow(at, row, state)
    return 'applied'
  }

  const row = at.sql.rowById.get(job.id) as Row | undefined
  if (row?.state !== ACTIVE || row.token !== token || row.hold !== hold) return 'stale'
  let { attempts } = row
  if (end.kind === 'again') {
    const { error } = end
    attempts = remember(row, { start: row.started!, end: at.now, worker, ...(error && { error }) })
  }
  const failures = row.failures + (end.kind === 'again' && end.counts ? 1 : 0)
  if (covered(at, row)) cancel(at, { ...row, failures, attempts })
  else if (end.kind === 'back') at.sql.putBack.run(row.crashes, attempts, row.seq)
  else at.sql.postpone.run(at.now + Math.ceil(end.delay), failures, attempts, row.seq)
  at.runnable = true
  at.changes.push({ id: job.id, notify: null })
  return 'applied'
}
