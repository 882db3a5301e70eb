import { BackendError } from '../../errors.ts'
import type { Backend, Broker, Store } from '../../port/index.ts'
import { createConsumer } from './consumer.ts'
import { createRelay } from './relay.ts'
import { defaults, type Timing } from './timing.ts'

/**
 * A backend in which a store owns every job and a broker carries tickets to the workers: the transactional
 * outbox and the idempotent consumer. A job that becomes waiting leaves a ticket in the store's outbox, in the
 * same transaction; any process publishes what it finds there, and takes a ticket out once the broker has
 * confirmed it. Who receives a ticket claims from the store what it has room for, and answers the ticket after.
 * A crash at any of these steps leaves a ticket too many, never one too few.
 *
 * @param broker - carries the tickets; closed with the backend
 * @param store - owns the jobs; closed with the backend
 */
export function joined(broker: Broker, store: Store, timing: Timing = defaults): Backend {
  const relay = createRelay(broker, store, timing)

  return {
    async submit(batch) {
      const receipts = await store.submit(batch)
      relay.nudge()
      return receipts
    },
    consume: (options) => createConsumer({ broker, store, relay, timing }, options),
    async sweep(limit) {
      const swept = await store.sweep(limit)
      // Whether or not it moved anything: another process may have died before it sent its tickets.
      relay.nudge()
      return swept
    },
    get pulse() {
      return store.pulse
    },
    events: (filter, signal) => store.events(filter, signal),
    records: store.records,
    control: {
      async cancel(ids) {
        const answers = await store.control.cancel(ids)
        relay.nudge()
        return answers
      },
      async retry(ids) {
        const answers = await store.control.retry(ids)
        relay.nudge()
        return answers
      },
      async shiftClock(offset) {
        await store.control.shiftClock(offset)
        relay.nudge()
      },
    },
    schedules: {
      get: (names) => store.schedules.get(names),
      list: (limit, after) => store.schedules.list(limit, after),
      async change(changes) {
        const answers = await store.schedules.change(changes)
        if (changes.some(({ firing }) => firing)) relay.nudge()
        return answers
      },
    },
    async diagnose() {
      const [carries, owns] = await both(broker.diagnose(), store.diagnose())
      const { fault } = relay
      return {
        backend: `${carries.backend} + ${owns.backend}`,
        versions: { ...owns.versions, ...carries.versions },
        clockSkew: owns.clockSkew,
        warnings: [
          ...carries.warnings,
          ...owns.warnings,
          ...(fault ? [`Tickets are not sent, so jobs start late: ${fault.message}`] : []),
        ],
      }
    },
    async [Symbol.asyncDispose]() {
      await relay.stop()
      await broker[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

/** When neither answers, both are told. */
async function both<A, B>(broker: Promise<A>, store: Promise<B>): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([broker, store])
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value]
  if (first.status === 'fulfilled') throw (second as PromiseRejectedResult).reason
  const fault = first.reason as BackendError
  if (second.status === 'fulfilled') throw fault
  const { message } = second.reason as BackendError
  throw new BackendError(fault.code, `${fault.message} ${message}`, {
    cause: fault,
    retryable: fault.retryable,
  })
}
