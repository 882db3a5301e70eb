import type { Swept } from '../../port/index.ts'
import type { Ground } from './ground.ts'
import { promote } from './line.ts'
import { unlock } from './locks.ts'
import { exists, type Moment } from './moment.ts'
import { endMarked, expire, lose, untilNextDue } from './moves.ts'
import type { Row } from './row.ts'
import { planned } from './schedules.ts'

/** All housekeeping, a page of each kind; one look, and a transaction only if there is something to do. */
export async function sweep({ writer, clock, look }: Ground, limit: number): Promise<Swept> {
  clock.calibrate()
  const idle = await writer.read(() => {
    const at = look()
    return isWork(at, clock.steady) ? undefined : report(at, 0, limit)
  })
  return (
    idle ??
    writer.write((at) => {
      at.sql.shortenLeases.run(at.now)
      const moved =
        promote(at, limit) +
        (clock.steady ? reclaim(at, limit) : 0) +
        expireLate(at, limit) +
        endMarked(at, limit) +
        forgetJobs(at, limit) +
        forgetFlows(at, limit)
      unlock(at, limit)
      return report(at, moved, limit)
    })
  )
}

function report(at: Moment, moved: number, limit: number): Swept {
  const { due, next } = planned(at, limit)
  const nextDue = Math.min(untilNextDue(at) ?? next, next - at.now)
  return {
    moved,
    now: at.now,
    schedules: due,
    ...(nextDue !== Number.POSITIVE_INFINITY && { nextDue }),
  }
}

const isWork = ({ sql, now }: Moment, steady: boolean): boolean =>
  exists(sql.due, now, 1) ||
  (steady && exists(sql.lapsed, now, 1)) ||
  exists(sql.longLease, now) ||
  exists(sql.expired, now, 1) ||
  exists(sql.unswept, 1) ||
  exists(sql.faded, now) ||
  exists(sql.fading, now) ||
  exists(sql.locksToSee, now, 1)

/** active → waiting, failed or cancelled: jobs of workers whose lease has lapsed. */
function reclaim(at: Moment, limit: number): number {
  let moved = 0
  for (const [worker] of at.sql.lapsed.all(at.now, limit) as [string][]) {
    const rows = at.sql.heldRows.all(worker, limit - moved) as Row[]
    for (const row of rows) lose(at, row)
    moved += rows.length
    if (moved >= limit) break
    at.sql.removeWorker.run(worker)
    moved++
  }
  return moved
}

/** idle → expired. */
function expireLate(at: Moment, limit: number): number {
  const rows = at.sql.expired.all(at.now, limit) as Row[]
  for (const row of rows) expire(at, row)
  return rows.length
}

/** final → gone: jobs of their own. */
function forgetJobs(at: Moment, limit: number): number {
  return Number(at.sql.forget.run(at.now, limit).changes)
}

/** Flows go whole, members first, the root last, and not while a member may still run. */
function forgetFlows(at: Moment, limit: number): number {
  let moved = 0
  while (moved < limit) {
    const [flow] = (at.sql.fading.get(at.now) as [string] | undefined) ?? []
    if (flow === undefined) break
    const members = Number(at.sql.forgetMembers.run(flow, limit - moved).changes)
    moved += members
    if (moved >= limit) break
    at.sql.forgetSlots.run(flow)
    at.sql.forgetJoins.run(flow)
    at.sql.removeFlow.run(flow)
    moved++
  }
  return moved
}
