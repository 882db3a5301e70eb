import { type Ticker, ticker } from '../async/ticker.ts'
import type { Backend, Millis } from '../port/index.ts'
import type { Scheduler } from './scheduler.ts'

const LIMIT = 500
const LONGEST_PAUSE: Millis = 1_000

/**
 * Housekeeping of the whole namespace. Every worker does it and none leads; pauses are jittered, so that
 * many workers don't sweep in step. They are shorter than half a lease: what a worker loses is found within
 * two (see "its jobs run elsewhere within two leases").
 */
export function createSweeper(
  backend: Backend,
  scheduler: Scheduler,
  lease: Millis,
  onError: (error: unknown) => void,
): Ticker {
  const longest = Math.min(LONGEST_PAUSE, lease / 2)
  return ticker(
    async () => {
      const { moved, now, nextDue, schedules } = await backend.sweep(LIMIT)
      const fired = schedules.length > 0 ? await scheduler.fire(schedules, now) : 0
      // What moved on may be due again at once, or sooner than was known.
      if (moved >= LIMIT || fired > 0) return 0
      return Math.min(nextDue ?? longest, longest * (0.5 + Math.random() / 2))
    },
    { onError },
  )
}
