import { pause } from '../../async/signals.ts'
import type { BackendError } from '../../errors.ts'
import type { Hand, Millis, ReceiveOptions, Receiver } from '../../port/index.ts'
import type { Channel, ConsumeMessage } from './library.ts'
import { createLine } from './line.ts'
import type { Link } from './link.ts'
import { isTicket } from './ticket.ts'
import { REST, type Topology } from './topology.ts'
import type { Settings } from './url.ts'

/** One worker's tickets of one queue. */
export interface Subscription extends Receiver {
  readonly queue: string
  /** Why none come just now. */
  readonly fault: BackendError | undefined
  /** Resolves once tickets come, or can't for now; rejects when trying again won't help. */
  started(patience: Millis): Promise<void>
}

/**
 * On a channel of its own, since whatever RabbitMQ refuses about a queue ends the channel. Tickets are kept in the
 * order of their delivery, so that one acknowledgement answers all up to a certain one. What is no ticket is
 * refused, and so dead-lettered as it is.
 */
export function createSubscription(
  link: Link,
  settings: Settings,
  topology: Topology,
  queue: string,
  { prefetch, arrived }: Pick<ReceiveOptions, 'prefetch' | 'arrived'>,
): Subscription {
  let channel: Channel | undefined
  let atHand: ConsumeMessage[] = []
  /** How many have left `atHand`, ever: a hand knows by it what is left of it. */
  let left = 0
  let consumer: string | undefined
  let resting = false
  let turning: Promise<void> | undefined

  const line = createLine<Channel>(link, settings, {
    open: (connection) => connection.createChannel(),
    async serve(fresh) {
      // Of each consumer: `global` is refused by newer versions.
      await fresh.prefetch(Math.max(1, Math.min(prefetch, 65_535)))
      await topology.declare(fresh, queue)
      channel = fresh
      await turn(fresh)
    },
    lost(old) {
      if (channel === old) channel = undefined
      left += atHand.length
      atHand = []
      consumer = undefined
      turning = undefined
    },
  })

  /** Receive, or don't, as it is wanted by the time that it has come about. */
  function turn(on: Channel): Promise<void> {
    turning ??= settle(on).finally(() => {
      if (on === channel) turning = undefined
    })
    return turning
  }

  async function settle(on: Channel): Promise<void> {
    while (on === channel) {
      if (!resting && consumer === undefined) await consume(on)
      else if (resting && consumer !== undefined) {
        const cancelled = on.cancel(consumer)
        consumer = undefined
        giveBack(on)
        await cancelled
      } else return
    }
  }

  async function consume(on: Channel): Promise<void> {
    const { consumerTag } = await on.consume(topology.queue(queue), (message) => receive(on, message))
    if (on === channel) consumer = consumerTag
  }

  function receive(on: Channel, message: ConsumeMessage | null): void {
    if (on !== channel) return
    if (!message) void revive(on)
    else if (!isTicket(message.content)) on.reject(message, false)
    else if (resting) on.reject(message, true)
    else {
      atHand.push(message)
      arrived()
    }
  }

  /** The server cancelled the consumer: the queue was deleted, or moves to another node. */
  async function revive(on: Channel): Promise<void> {
    await pause(REST)
    try {
      if (on !== channel) return
      await topology.declare(on, queue)
      consumer = undefined
      await turn(on)
    } catch {
      // Then the channel is gone, and the next one declares all.
      await on.close().catch(() => {})
    }
  }

  function giveBack(on: Channel): void {
    const last = atHand.at(-1)
    if (last) on.nack(last, true, true)
    left += atHand.length
    atHand = []
  }

  return {
    queue,
    get fault() {
      return line.fault
    },
    async started(patience) {
      const waited = new AbortController()
      try {
        await Promise.race([line.first, pause(patience, waited.signal)])
      } finally {
        waited.abort()
      }
    },
    hand(): Hand {
      const size = atHand.length
      const before = left
      return {
        size,
        answer(count) {
          const rest = Math.min(count, size) - (left - before)
          if (rest <= 0 || !channel) return
          try {
            channel.ack(atHand[rest - 1]!, true)
          } catch {
            // The channel has just ended: they are delivered again, which is harmless.
          }
          atHand = atHand.slice(rest)
          left += rest
        },
      }
    },
    rest(wanted) {
      if (resting === wanted) return
      resting = wanted
      if (channel) turn(channel).catch(() => {})
    },
    async [Symbol.asyncDispose]() {
      resting = true
      await line.stop()
    },
  }
}
