import type { Broker, Entry, Store } from '../../src/port/index.ts'

/** A joined backend whose steps are in another order. */
export interface Mutant {
  readonly broken: string
  readonly mutate: (parts: { broker: Broker; store: Store }) => { broker: Broker; store: Store }
}

export const mutants: readonly Mutant[] = [
  {
    broken: 'a ticket is taken out of the outbox before it is published',
    mutate: ({ broker, store }) => ({
      store,
      broker: {
        ...broker,
        async publish(tickets) {
          await store.sent(tickets as Entry[])
          await broker.publish(tickets)
        },
      },
    }),
  },
  {
    broken: 'a ticket is taken out of the outbox as it is read',
    mutate: ({ broker, store }) => ({
      broker,
      store: {
        ...store,
        async outbox(limit, hold) {
          const page = await store.outbox(limit, hold)
          await store.sent(page.entries)
          return page
        },
      },
    }),
  },
  {
    broken: 'a ticket is answered before the claim',
    mutate: ({ broker, store }) => ({
      store,
      broker: {
        ...broker,
        async receive(options) {
          const receiver = await broker.receive(options)
          return {
            ...receiver,
            hand() {
              const hand = receiver.hand()
              hand.answer(hand.size)
              return { size: hand.size, answer() {} }
            },
          }
        },
      },
    }),
  },
  {
    broken: 'what a worker hands back leaves no ticket',
    mutate: ({ broker, store }) => ({
      broker,
      store: {
        ...store,
        async outbox(limit, hold) {
          const { entries, ...rest } = await store.outbox(limit, hold)
          const records = await store.records.get(entries.map(({ id }) => id))
          const again = entries.filter((_, i) => (records[i] as { started?: number } | undefined)?.started)
          await store.sent(again)
          return { ...rest, entries: entries.filter((entry) => !again.includes(entry)) }
        },
      },
    }),
  },
]
