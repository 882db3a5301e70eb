import { type Ticker, ticker } from '../async/ticker.ts'
import type { Backend, Millis } from '../port/index.ts'

const LIMIT = 500
const LONGEST_PAUSE: Millis = 1_000

/**
 * Housekeeping of the whole namespace. Every worker does it and none leads; pauses are jittered, so that
 * many workers don't sweep in step.
 */
export function createSweeper(backend: Backend, onError: (error: unknown) => void): Ticker {
  return ticker(
    async () => {
      const { moved, nextDue } = await backend.sweep(LIMIT)
      if (moved >= LIMIT) return 0
      return Math.min(nextDue ?? LONGEST_PAUSE, LONGEST_PAUSE * (0.5 + Math.random() / 2))
    },
    { onError },
  )
}
