import { backoff } from '../async/backoff.ts'
import { pause } from '../async/signals.ts'
import type { Consumer, Delivery } from '../port/index.ts'

export interface FetcherOptions {
  /** Free places now; 0 means: wait for `nudge`. */
  readonly room: () => number
  readonly onDelivery: (delivery: Delivery) => void
  readonly onError: (error: unknown) => void
}

export interface Fetcher {
  /** Places have come free. */
  nudge(): void
  /** Take no more; resolves once a take under way has ended. */
  stop(): Promise<void>
}

/** Takes deliveries whenever there is room, one call at a time. */
export function createFetcher(consumer: Consumer, options: FetcherOptions): Fetcher {
  const stopping = new AbortController()
  const { signal } = stopping
  const retry = backoff(100, 5_000)
  let waiting: (() => void) | undefined

  async function loop() {
    while (!signal.aborted) {
      const room = options.room()
      if (room <= 0) {
        await new Promise<void>((resolve) => {
          waiting = resolve
        })
        continue
      }
      try {
        for (const delivery of await consumer.take(room, signal)) options.onDelivery(delivery)
        retry.reset()
      } catch (error) {
        if (signal.aborted) break
        options.onError(error)
        await pause(retry.next(), signal)
      }
    }
  }
  const ended = loop()

  /** Every job that ends calls this, and few find anyone waiting. */
  function nudge() {
    if (!waiting) return
    const wake = waiting
    waiting = undefined
    wake()
  }

  return {
    nudge,
    async stop() {
      stopping.abort()
      nudge()
      await ended
    },
  }
}
