import type { Millis, Store } from '../../port/index.ts'
import type { Timing } from './timing.ts'

const LIMIT = 500

export interface Watch {
  /** A job becomes due in so long. */
  due(inMs: Millis): void
  stop(): void
}

/**
 * Sweeps when a job becomes due that this process has delayed or retries, if that is soon: the workers' sweepers
 * look only about once a second, and learn of what is due later from that.
 */
export function createWatch(store: Store, promoted: () => void, { soon }: Timing): Watch {
  let timer: NodeJS.Timeout | undefined
  let at = Number.POSITIVE_INFINITY
  let stopped = false

  function due(inMs: Millis): void {
    if (stopped || inMs > soon) return
    const when = performance.now() + Math.max(0, inMs)
    if (when >= at) return
    clearTimeout(timer)
    at = when
    timer = setTimeout(look, Math.ceil(Math.max(0, inMs))).unref()
  }

  async function look(): Promise<void> {
    at = Number.POSITIVE_INFINITY
    try {
      const { moved, nextDue } = await store.sweep(LIMIT)
      promoted()
      if (moved >= LIMIT) due(0)
      else if (nextDue !== undefined) due(nextDue)
    } catch {
      // The workers' sweepers see to it, and they report what is wrong.
    }
  }

  return {
    due,
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
