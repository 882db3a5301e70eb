import type { Broker, Hand, ReceiveOptions, Receiver, Ticket } from '../../src/port/index.ts'

/** How a broker behaves. */
export interface Weather {
  /** Deliver this ticket twice. */
  readonly twice?: () => boolean
  /** Put this ticket anywhere in its queue. */
  readonly mixed?: () => boolean
  /** Tickets are with the broker for so many milliseconds before they are dealt. */
  readonly late?: () => number
}

/** A broker in this process, and the connections to it. */
export interface FakeBroker {
  connect(): Connection
  /** Lose every ticket, as a broker does whose disk is gone. */
  forget(): void
  /** Tickets that no receiver has at hand, and those that one has. */
  readonly size: number
}

export interface Connection extends Broker {
  /** End without a word: what was not answered is delivered again. */
  cut(): void
}

interface Subscriber {
  readonly options: ReceiveOptions
  readonly hand: Ticket[]
  resting: boolean
}

/** Queues of tickets, first in, first out, dealt to the receivers in turn. */
export function fakeBroker(random: () => number = Math.random, weather: Weather = {}): FakeBroker {
  const queues = new Map<string, Ticket[]>()
  let subscribers: Subscriber[] = []

  const line = (queue: string): Ticket[] => {
    if (!queues.has(queue)) queues.set(queue, [])
    return queues.get(queue)!
  }

  function accept(ticket: Ticket): void {
    const tickets = line(ticket.queue)
    for (let copies = weather.twice?.() ? 2 : 1; copies > 0; copies--) {
      if (weather.mixed?.()) tickets.splice(Math.floor(random() * (tickets.length + 1)), 0, { ...ticket })
      else tickets.push({ ...ticket })
    }
  }

  function deal(): void {
    for (let dealt = true; dealt; ) {
      dealt = false
      for (const subscriber of subscribers) {
        if (subscriber.resting) continue
        const { queues: names, prefetch, arrived } = subscriber.options
        for (const name of names) {
          const held = subscriber.hand.filter(({ queue }) => queue === name).length
          const ticket = held < prefetch ? line(name).shift() : undefined
          if (!ticket) continue
          subscriber.hand.push(ticket)
          dealt = true
          arrived()
        }
      }
      // In turn, and not always the same one first.
      subscribers = [...subscribers.slice(1), ...subscribers.slice(0, 1)]
    }
  }

  function giveBack(subscriber: Subscriber): void {
    for (const ticket of subscriber.hand.splice(0).reverse()) line(ticket.queue).unshift(ticket)
    deal()
  }

  function leave(subscriber: Subscriber): void {
    subscribers = subscribers.filter((each) => each !== subscriber)
    giveBack(subscriber)
  }

  return {
    connect() {
      const own = new Set<Subscriber>()
      let gone = false
      const cut = () => {
        gone = true
        for (const subscriber of own) leave(subscriber)
      }
      return {
        async publish(tickets) {
          if (gone) throw new Error('This connection was cut.')
          for (const ticket of tickets) accept(ticket)
          if (weather.late) setTimeout(deal, weather.late())
          else deal()
        },
        async receive(options) {
          const subscriber: Subscriber = { options, hand: [], resting: false }
          own.add(subscriber)
          subscribers.push(subscriber)
          deal()
          return receiver(subscriber, () => {
            own.delete(subscriber)
            leave(subscriber)
          })
        },
        diagnose: async () => ({ backend: 'fake:', versions: {}, clockSkew: 0, warnings: [] }),
        cut,
        async [Symbol.asyncDispose]() {
          cut()
        },
      }
    },
    forget() {
      queues.clear()
      for (const { hand } of subscribers) hand.length = 0
    },
    get size() {
      const waiting = [...queues.values()].reduce((sum, tickets) => sum + tickets.length, 0)
      return waiting + subscribers.reduce((sum, { hand }) => sum + hand.length, 0)
    },
  }

  function receiver(subscriber: Subscriber, end: () => void): Receiver {
    return {
      hand(): Hand {
        const now = [...subscriber.hand]
        return {
          size: now.length,
          answer(count) {
            const answered = new Set(now.slice(0, count))
            const left = subscriber.hand.filter((ticket) => !answered.delete(ticket))
            subscriber.hand.splice(0, subscriber.hand.length, ...left)
            deal()
          },
        }
      },
      rest(resting) {
        subscriber.resting = resting
        if (resting) giveBack(subscriber)
        else deal()
      },
      async [Symbol.asyncDispose]() {
        end()
      },
    }
  }
}
