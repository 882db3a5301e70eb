import { backoff } from '../../async/backoff.ts'
import { pause } from '../../async/signals.ts'
import type { Broker, Entry, Store } from '../../port/index.ts'
import type { Timing } from './timing.ts'

/** Tickets in one publish at the most. */
const PAGE = 500
/** Pages under way at once: what is unconfirmed in this process stays within this many. */
const FLIGHTS = 4

export interface Relay {
  /** There may be something in the outbox. */
  nudge(): void
  /** Why the last page was not sent; `undefined` once one was. */
  readonly fault: Error | undefined
  /** Send no more; resolves once what is under way was confirmed, or given up with the broker. */
  stop(): Promise<void>
}

/**
 * Outbox → publish, confirmed → sent. In this order: a crash between two of them sends a ticket again, and the
 * other way round it would send none. See "a crash at any one step" in test/joined/simulation.test.ts.
 */
export function createRelay(broker: Broker, store: Store, { hold }: Timing): Relay {
  const stopping = new AbortController()
  const { signal } = stopping
  const flights = new Set<Promise<void>>()
  const retry = backoff(100, 5_000)
  let wanted = false
  let running: Promise<void> | undefined
  let again: NodeJS.Timeout | undefined
  let fault: Error | undefined

  async function run(): Promise<void> {
    while (wanted && !signal.aborted) {
      wanted = false
      try {
        const entries = await store.outbox(PAGE, hold)
        retry.reset()
        if (entries.length === 0) continue
        if (entries.length === PAGE) wanted = true
        const flight = send(entries).finally(() => flights.delete(flight))
        flights.add(flight)
        if (flights.size >= FLIGHTS) await Promise.race([...flights, aborted])
      } catch (error) {
        fault = error as Error
        wanted = true
        await pause(retry.next(), signal)
      }
    }
    running = undefined
  }

  async function send(entries: readonly Entry[]): Promise<void> {
    try {
      await broker.publish(entries)
      await store.sent(entries)
      fault = undefined
    } catch (error) {
      fault = error as Error
      // They show again by then, and nobody else may be there to send them.
      if (!signal.aborted) again ??= setTimeout(once, hold).unref()
    }
  }

  function once(): void {
    again = undefined
    nudge()
  }

  function nudge(): void {
    if (wanted || signal.aborted) return
    wanted = true
    running ??= Promise.resolve().then(run)
  }

  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))

  return {
    nudge,
    get fault() {
      return fault
    },
    async stop() {
      // A last look: who submits and closes at once leaves no ticket behind, if the broker answers soon.
      const late = new AbortController()
      await Promise.race([finish(), pause(LAST, late.signal)])
      late.abort()
      stopping.abort()
      clearTimeout(again)
    },
  }

  async function finish(): Promise<void> {
    while (running || flights.size > 0) await Promise.all([running, ...flights])
  }
}

/** How long closing waits for tickets under way. */
const LAST = 1_000
