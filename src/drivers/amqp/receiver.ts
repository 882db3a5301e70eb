import { pause } from '../../async/signals.ts'
import type { Hand, Millis, ReceiveOptions, Receiver } from '../../port/index.ts'
import type { Channel, ConsumeMessage } from './library.ts'
import { createLine } from './line.ts'
import type { Link } from './link.ts'
import { isTicket } from './ticket.ts'
import { REST, type Topology } from './topology.ts'
import type { Settings } from './url.ts'

/**
 * One worker's tickets, on a channel of its own. They are kept in the order of their delivery, so that one
 * acknowledgement answers all up to a certain one. What is no ticket is refused, and so dead-lettered as it is.
 */
export async function createReceiver(
  link: Link,
  settings: Settings,
  topology: Topology,
  { queues, prefetch, arrived }: ReceiveOptions,
  patience: Millis,
): Promise<Receiver> {
  let channel: Channel | undefined
  let atHand: ConsumeMessage[] = []
  /** How many have left `atHand`, ever: a hand knows by it what is left of it. */
  let left = 0
  let consumers = new Map<string, string>()
  let resting = false
  let turning: Promise<void> | undefined

  const line = createLine<Channel>(link, settings, {
    open: (connection) => connection.createChannel(),
    async serve(fresh) {
      // Of each consumer: `global` is refused by newer versions.
      await fresh.prefetch(Math.max(1, Math.min(prefetch, 65_535)))
      for (const queue of queues) await topology.declare(fresh, queue)
      channel = fresh
      await turn(fresh)
    },
    lost(old) {
      if (channel === old) channel = undefined
      left += atHand.length
      atHand = []
      consumers = new Map()
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
      if (!resting && consumers.size < queues.length) await consume(on)
      else if (resting && consumers.size > 0) {
        const tags = [...consumers.values()]
        consumers.clear()
        const cancelled = tags.map((tag) => on.cancel(tag))
        giveBack(on)
        await Promise.all(cancelled)
      } else return
    }
  }

  async function consume(on: Channel): Promise<void> {
    for (const queue of queues) {
      if (consumers.has(queue)) continue
      consumers.set(queue, '')
      const { consumerTag } = await on.consume(topology.queue(queue), (message) =>
        receive(on, queue, message),
      )
      if (consumers.has(queue)) consumers.set(queue, consumerTag)
    }
  }

  function receive(on: Channel, queue: string, message: ConsumeMessage | null): void {
    if (on !== channel) return
    if (!message) void revive(on, queue)
    else if (!isTicket(message.content)) on.reject(message, false)
    else if (resting) on.reject(message, true)
    else {
      atHand.push(message)
      arrived()
    }
  }

  /** The server cancelled the consumer: the queue was deleted, or moves to another node. */
  async function revive(on: Channel, queue: string): Promise<void> {
    await pause(REST)
    try {
      if (on !== channel) return
      await topology.declare(on, queue)
      consumers.delete(queue)
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

  // Without RabbitMQ a worker finds its jobs by looking for them, and receives as soon as it is back.
  const waited = new AbortController()
  try {
    await Promise.race([line.first, pause(patience, waited.signal)])
  } catch (error) {
    await line.stop()
    throw error
  } finally {
    waited.abort()
  }

  return {
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
