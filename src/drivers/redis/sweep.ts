import type { Swept } from '../../port/index.ts'
import { scripts } from './lua/index.ts'
import { asBefore, type Shard } from './shard.ts'

/** A page at the most: more would hold up everybody else at the server. */
const PAGE = 500

export async function sweep(shard: Shard, limit: number): Promise<Swept> {
  const page = Math.max(1, Math.min(Math.floor(limit), PAGE))
  const answer = await shard.run(scripts.sweep, [page], asBefore)
  const [moved, now, wait, schedules] = answer as [number, number, number, string[]]
  // A full page of ours is to be one for the caller, too: there may be more.
  const shown = moved >= page ? Math.max(moved, limit) : moved
  return { moved: shown, now, schedules, ...(wait >= 0 && { nextDue: wait }) }
}

/** Until nothing moves, or for so many pages. */
export async function sweepAll(shard: Shard, pages = 50): Promise<void> {
  for (let i = 0; i < pages; i++) if ((await sweep(shard, PAGE)).moved === 0) return
}
