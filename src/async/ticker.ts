import { backoff } from './backoff.ts'
import { pause } from './signals.ts'

export interface Ticker {
  /** Run now instead of at the next tick. */
  nudge(): void
  /** Stop, and resolve once a run under way has ended. */
  stop(): Promise<void>
}

export interface TickerOptions {
  /** A run that fails is reported here and tried again, at growing intervals. */
  readonly onError: (error: unknown) => void
}

/**
 * Run `work` again and again, never twice at once. It answers in how many milliseconds it wants to run
 * next. A failing run backs off up to ten seconds.
 */
export function ticker(work: () => Promise<number>, options: TickerOptions): Ticker {
  const stopping = new AbortController()
  let sleep = new AbortController()
  let nudged = false
  const retry = backoff(100, 10_000)

  async function loop() {
    while (!stopping.signal.aborted) {
      nudged = false
      let wait: number
      try {
        wait = await work()
        retry.reset()
      } catch (error) {
        if (stopping.signal.aborted) break
        options.onError(error)
        wait = retry.next()
      }
      if (nudged || stopping.signal.aborted) continue
      sleep = new AbortController()
      await pause(Math.min(wait, 2 ** 31 - 1), sleep.signal)
    }
  }
  const ended = loop()

  return {
    nudge() {
      nudged = true
      sleep.abort()
    },
    async stop() {
      stopping.abort()
      sleep.abort()
      await ended
    },
  }
}
