import type { Swept } from '../../port/index.ts'
import { unlock } from './locks.ts'
import { end, endMarked, loseWorker, promote } from './moves.ts'
import { planned } from './schedules.ts'
import { type Flow, isIdle, never, now, ring, type Space } from './space.ts'

/** All housekeeping of a space; in one go, since nothing here waits. */
export function sweep(space: Space, limit: number): Swept {
  const at = now(space)
  const moved =
    promote(space, at) + reclaim(space, at) + expire(space, at) + endMarked(space, at) + forget(space, at)
  unlock(space, at)
  if (moved > 0) ring(space)
  const { due, next } = planned(space, at, limit)
  const nextDue = Math.min(space.timed.peek()?.key ?? never, next)
  return {
    moved,
    now: at,
    schedules: due,
    ...(nextDue !== never && { nextDue: Math.max(0, nextDue - at) }),
  }
}

/** Jobs of workers whose lease has lapsed. */
function reclaim(space: Space, at: number): number {
  let moved = 0
  for (const worker of space.workers.values()) {
    if (worker.expires > at) continue
    moved += loseWorker(space, worker, at)
  }
  return moved
}

function expire(space: Space, at: number): number {
  let moved = 0
  for (let top = space.expiring.peek(); top && top.key <= at; top = space.expiring.peek()) {
    const row = space.expiring.pop()!
    if (!isIdle(row) || row.expires !== top.key) continue
    end(space, row, 'expired', at, { code: 'EXPIRED' })
    moved++
  }
  return moved
}

/** Records whose time has come. A flow goes whole, and not while a member still runs. */
function forget(space: Space, at: number): number {
  let moved = 0
  const running: { key: number; flow: Flow }[] = []
  for (let top = space.fading.peek(); top && top.key <= at; top = space.fading.peek()) {
    const { row, flow } = space.fading.pop()!
    if (row && row.forget === top.key && space.rows.get(row.job.id) === row) {
      space.rows.delete(row.job.id)
      moved++
    } else if (flow) {
      if (flow.rows.some((member) => member.state === 'active' || isIdle(member))) {
        running.push({ key: top.key, flow })
        continue
      }
      for (const member of flow.rows) space.rows.delete(member.job.id)
      for (const join of flow.joins) space.joins.delete(join)
      space.flows.delete(flow.root.id)
      moved += 1 + flow.rows.length
    }
  }
  for (const { key, flow } of running) space.fading.push(key, { flow })
  return moved
}
