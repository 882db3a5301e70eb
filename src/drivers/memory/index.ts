import { BackendError } from '../../errors.ts'
import type { Store } from '../../port/index.ts'
import { createConsumer } from './consumer.ts'
import { createControl } from './control.ts'
import { events } from './events.ts'
import { outbox, sent } from './outbox.ts'
import { createRecords } from './records.ts'
import { createSchedules } from './schedules.ts'
import { createSpace, type Space } from './space.ts'
import { submit } from './submit.ts'
import { sweep } from './sweep.ts'

/** Named spaces of this process; an unnamed one is its backend's own. */
const spaces = new Map<string, Space>()

/**
 * A backend in this process: for tests, and for work that may go with the process. It keeps every rule
 * that the durable ones keep.
 *
 * @param name - backends of the same name share their jobs; without one, the backend is private
 * @example
 * const app = connect(memory())
 */
export function memory(name = ''): Store {
  const space = spaces.get(name) ?? createSpace()
  if (name) spaces.set(name, space)
  let closed = false

  const refusal = () => new BackendError('BACKEND_CLOSED', 'This backend is closed. Connect again.')
  const alive =
    <A extends unknown[], R>(verb: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      closed ? Promise.reject(refusal()) : verb(...args)
  const records = createRecords(space)
  const control = createControl(space)
  const schedules = createSchedules(space)
  return {
    submit: alive(async (batch) => submit(space, batch)),
    consume: alive(async (options) => createConsumer(space, options)),
    sweep: alive(async (limit) => sweep(space, limit)),
    outbox: alive(async (limit, hold) => outbox(space, limit, hold)),
    sent: alive(async (entries) => sent(space, entries)),
    events(filter, signal) {
      if (closed) throw refusal()
      return events(space, filter, signal)
    },
    records: {
      get: alive(records.get),
      joins: alive(records.joins),
      slots: alive(records.slots),
      list: alive(records.list),
      counts: alive(records.counts),
      workers: alive(records.workers),
    },
    control: {
      cancel: alive(control.cancel),
      retry: alive(control.retry),
      shiftClock: alive(control.shiftClock),
    },
    schedules: {
      get: alive(schedules.get),
      list: alive(schedules.list),
      change: alive(schedules.change),
    },
    diagnose: alive(async () => ({
      backend: name ? `memory:${name}` : 'memory:',
      versions: { node: process.versions.node },
      clockSkew: space.offset,
      warnings: ['The memory backend keeps nothing when the process ends.'],
    })),
    async [Symbol.asyncDispose]() {
      closed = true
    },
  }
}
