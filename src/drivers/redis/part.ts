import type { ConsumeOptions, Store, StoreConsumer } from '../../port/index.ts'
import type { Part, PartConsumer } from '../sharded/index.ts'
import { createConsumer } from './consumer.ts'
import { createControl } from './control.ts'
import { events } from './events.ts'
import { forgetSent, readOutbox } from './outbox.ts'
import { createRecords } from './records.ts'
import { createSchedules } from './schedules.ts'
import type { Shard } from './shard.ts'
import { submit } from './submit.ts'
import { sweep } from './sweep.ts'

/** What a namespace of one shard is by itself, and several are together. */
export interface RedisPart extends Part, Pick<Store, 'outbox' | 'sent'> {
  consume(options: ConsumeOptions, onRing?: () => boolean): Promise<StoreConsumer & PartConsumer>
}

/** The verbs on a shard, which is opened by the first of them. */
export function partOf(opened: () => Promise<Shard>): RedisPart {
  const records = async () => createRecords(await opened())
  const control = async () => createControl(await opened())
  const schedules = async () => createSchedules(await opened())

  return {
    submit: async (batch) => submit(await opened(), batch),
    consume: async (options, onRing) => createConsumer(await opened(), options, onRing),
    sweep: async (limit) => sweep(await opened(), limit),
    outbox: async (limit, hold) => readOutbox(await opened(), limit, hold),
    sent: async (entries) => forgetSent(await opened(), entries),
    async *events(filter, signal) {
      yield* events(await opened(), filter, signal)
    },
    records: {
      get: async (ids) => (await records()).get(ids),
      joins: async (ids) => (await records()).joins(ids),
      slots: async (join, from, limit) => (await records()).slots(join, from, limit),
      list: async (filter, limit, cursor) => (await records()).list(filter, limit, cursor),
      counts: async () => (await records()).counts(),
      workers: async () => (await records()).workers(),
    },
    control: {
      cancel: async (ids) => (await control()).cancel(ids),
      retry: async (ids) => (await control()).retry(ids),
      shiftClock: async (offset) => (await control()).shiftClock(offset),
    },
    schedules: {
      get: async (names) => (await schedules()).get(names),
      list: async (limit, after) => (await schedules()).list(limit, after),
      change: async (changes) => (await schedules()).change(changes),
    },
  }
}
