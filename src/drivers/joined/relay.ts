import { backoff } from '../../async/backoff.ts'
import { pause } from '../../async/signals.ts'
import type { Broker, Entry, Millis, Store } from '../../port/index.ts'
import type { Timing } from './timing.ts'

/** Tickets in one publish at the most. */
const PAGE = 500
/** Pages under way at once: what is unconfirmed in this process stays within this many. */
const FLIGHTS = 4
/** Looks because something became due are this far apart, so that a stream of delayed jobs is sent in pages. */
const GAP: Millis = 5
const LONGEST_TIMER: Millis = 2 ** 31 - 1

export interface Relay {
  /** There may be something in the outbox, or something may become due. */
  nudge(): void
  /** Why the last page was not sent; `undefined` once one was. */
  readonly fault: Error | undefined
  /** Send no more; resolves once what is under way was confirmed, or given up with the broker. */
  stop(): Promise<void>
}

/**
 * Outbox → publish, confirmed → sent. In this order: a crash between two of them sends a ticket again, and the
 * other way round it would send none. See "a crash at any one step" in test/joined/simulation.test.ts.
 *
 * What becomes due is promoted by the outbox, which says when that will be. Every process may wait for it; one
 * that comes too late leaves the next to those who didn't, until it is nudged.
 */
export function createRelay(broker: Broker, store: Store, { hold }: Timing): Relay {
  const stopping = new AbortController()
  const { signal } = stopping
  const flights = new Set<Promise<void>>()
  const retry = backoff(100, 5_000)
  let wanted = false
  /** It looks because of the time. */
  let timed = false
  let running: Promise<void> | undefined
  let again: NodeJS.Timeout | undefined
  let alarm: NodeJS.Timeout | undefined
  let fault: Error | undefined

  async function run(): Promise<void> {
    while (wanted && !signal.aborted) {
      wanted = false
      const byTime = timed
      timed = false
      try {
        const { entries, nextDue } = await store.outbox(PAGE, hold)
        retry.reset()
        if (!byTime || entries.length > 0 || (nextDue ?? GAP) < GAP) wait(nextDue)
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

  /** By queue: one that the broker refuses leaves the tickets of the others sent, and sent once. */
  async function send(entries: readonly Entry[]): Promise<void> {
    const refused = new Set<string>()
    let wrong: Error | undefined
    const publishing = [...byQueue(entries)].map(async ([queue, its]) => {
      try {
        await broker.publish(its)
      } catch (error) {
        wrong = error as Error
        refused.add(queue)
      }
    })
    await Promise.all(publishing)
    try {
      const confirmed = refused.size > 0 ? entries.filter(({ queue }) => !refused.has(queue)) : entries
      if (confirmed.length > 0) await store.sent(confirmed)
    } catch (error) {
      wrong = error as Error
    }
    fault = wrong
    // They show again by then, and nobody else may be there to send them. A timer may be early by a millisecond.
    if (wrong && !signal.aborted) again ??= setTimeout(once, hold + GAP).unref()
  }

  function once(): void {
    again = undefined
    nudge()
  }

  /** Until the next job becomes due: what was known of that before is superseded. */
  function wait(nextDue: Millis | undefined): void {
    clearTimeout(alarm)
    if (nextDue === undefined || signal.aborted) return
    alarm = setTimeout(
      () => {
        timed ||= !wanted
        start()
      },
      Math.min(Math.max(nextDue, GAP), LONGEST_TIMER),
    ).unref()
  }

  function start(): void {
    if (wanted || signal.aborted) return
    wanted = true
    running ??= Promise.resolve().then(run)
  }

  function nudge(): void {
    timed = false
    start()
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
      clearTimeout(alarm)
    },
  }

  async function finish(): Promise<void> {
    while (running || flights.size > 0) await Promise.all([running, ...flights])
  }
}

/** How long closing waits for tickets under way. */
const LAST = 1_000

function byQueue(entries: readonly Entry[]): Map<string, Entry[]> {
  const queues = new Map<string, Entry[]>()
  for (const entry of entries) {
    const its = queues.get(entry.queue)
    if (its) its.push(entry)
    else queues.set(entry.queue, [entry])
  }
  return queues
}
