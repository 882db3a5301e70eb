import type { Broker, ConsumeOptions, Consumer, Outcome, Store } from '../../port/index.ts'
import type { Relay } from './relay.ts'
import type { Timing } from './timing.ts'

export interface Parts {
  readonly broker: Broker
  readonly store: Store
  readonly relay: Relay
  readonly timing: Timing
}

/** One worker's subscription: a ticket, or a look now and then, leads to a claim; then it is answered. */
export async function createConsumer(parts: Parts, options: ConsumeOptions): Promise<Consumer> {
  const { broker, store, relay, timing } = parts
  const queues = options.queues.map(({ name }) => name)
  let wake = () => {}
  const claims = await store.consume(options)
  const tickets = await broker
    .receive({ queues, prefetch: options.capacity, arrived: () => wake() })
    .catch(async (error) => {
      await claims[Symbol.asyncDispose]()
      throw error
    })
  let closed = false
  /** There may be more for this worker than there are tickets for: a new worker, and one that got its fill. */
  let more = Number.isFinite(timing.look)
  /** Rid of its suspect, this worker may have the next, whose ticket was used up in vain. */
  let rid = false
  let resting: NodeJS.Timeout | undefined

  /** Until there is a ticket or it is time to look; also at the abort. */
  function ticket(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = Math.min(timing.look * (0.5 + Math.random() / 2), 2 ** 31 - 1)
      const timer = setTimeout(done, look)
      function done() {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        wake = () => {}
        resolve()
      }
      wake = done
      signal.addEventListener('abort', done, { once: true })
      if (tickets.hand().size > 0) done()
    })
  }

  function rest(): void {
    clearTimeout(resting)
    resting = setTimeout(() => tickets.rest(true), timing.rest).unref()
  }

  /** What a finish may have made waiting or due. */
  function follow(outcomes: readonly Outcome[]): void {
    for (const { delivery, end } of outcomes) {
      if (end.kind !== 'final' || delivery.job.flow !== undefined) relay.nudge()
      if (delivery.crashes > 0) {
        rid = true
        wake()
      }
    }
  }

  rest()
  return {
    async take(max, signal) {
      clearTimeout(resting)
      tickets.rest(false)
      try {
        while (!signal.aborted && !closed) {
          if (!more && !rid) await ticket(signal)
          if (signal.aborted || closed) break
          const hand = tickets.hand()
          // Until the store has answered.
          more = true
          rid = false
          const taken = await claims.claim(max)
          // What they were sent for was there to be claimed, and was claimed by now, unless there is more.
          more = taken.length === max
          hand.answer(more ? taken.length : hand.size)
          if (taken.length > 0) return taken
        }
        return []
      } finally {
        if (!closed) rest()
      }
    },

    renew: (progress) => claims.renew(progress),

    async finish(outcomes) {
      const applied = await claims.finish(outcomes)
      follow(outcomes)
      return applied
    },

    async [Symbol.asyncDispose]() {
      closed = true
      clearTimeout(resting)
      wake()
      await tickets[Symbol.asyncDispose]()
      await claims[Symbol.asyncDispose]()
      relay.nudge()
    },
  }
}
