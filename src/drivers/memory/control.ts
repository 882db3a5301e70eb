import type { Cancelled, Control, Retried } from '../../port/index.ts'
import { end, endMarked, expireIfLate, line, mark, remember, tellWorker } from './moves.ts'
import { covered, isIdle, never, now, ring, type Space } from './space.ts'

/** Commands to a space. */
export function createControl(space: Space): Control {
  return {
    async cancel(ids) {
      return ids.map((id) => cancel(space, id))
    },
    async retry(ids) {
      const retried = ids.map((id) => retry(space, id))
      ring(space)
      return retried
    },
    async shiftClock(offset) {
      space.offset = offset
      ring(space)
    },
  }
}

function cancel(space: Space, id: string): Cancelled {
  const at = now(space)
  const flow = space.flows.get(id)
  if (flow) {
    const root = space.joins.get(id)!
    if (root.state !== 'active') return 'final'
    root.mark = 'cancel'
    mark(space, flow)
    endMarked(space, at)
    return root.state === 'active' ? 'cancelling' : 'cancelled'
  }
  const row = space.rows.get(id)
  if (!row) return 'unknown'
  if (expireIfLate(space, row, at)) return 'final'
  if (isIdle(row)) {
    const fresh = !covered(space, row)
    end(space, row, 'cancelled', at, { code: 'CANCELLED' })
    endMarked(space, at)
    return fresh ? 'cancelled' : 'final'
  }
  if (row.state !== 'active') return 'final'
  row.marked = true
  tellWorker(space, row)
  return 'cancelling'
}

function retry(space: Space, id: string): Retried {
  const at = now(space)
  const late = space.rows.get(id)
  if (late) expireIfLate(space, late, at)
  const row = space.rows.get(id)
  if (!row) return space.flows.has(id) ? 'member' : 'unknown'
  if (row.state === 'succeeded') return 'succeeded'
  if (row.state === 'active' || isIdle(row)) return 'live'
  if (row.job.reports) return 'member'
  const { started, ended, worker, result } = row
  if (result !== undefined) remember(row, { start: started!, end: ended!, worker: worker!, error: result })
  row.due = at
  row.failures = 0
  row.crashes = 0
  row.marked = false
  row.ended = undefined
  row.result = undefined
  row.code = undefined
  row.expires = never
  row.forget = never
  line(space, row)
  return 'waiting'
}
