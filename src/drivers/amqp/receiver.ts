import type { Hand, Millis, ReceiveOptions, Receiver } from '../../port/index.ts'
import type { Link } from './link.ts'
import { createSubscription, type Subscription } from './subscription.ts'
import type { Topology } from './topology.ts'
import type { Settings } from './url.ts'

/** One worker's tickets, and what is wrong with those of some queues. */
export interface AmqpReceiver extends Receiver {
  readonly faults: readonly string[]
}

/**
 * One subscription for each queue: that one can't be had doesn't keep back the tickets of the others.
 *
 * @throws BackendError when one is refused at the start
 */
export async function createReceiver(
  link: Link,
  settings: Settings,
  topology: Topology,
  options: ReceiveOptions,
  patience: Millis,
): Promise<AmqpReceiver> {
  const subscriptions = options.queues.map((queue) =>
    createSubscription(link, settings, topology, queue, options),
  )
  const stop = async () => {
    await Promise.all(subscriptions.map((each) => each[Symbol.asyncDispose]()))
  }
  // Without RabbitMQ a worker finds its jobs by looking for them, and receives as soon as it is back.
  await Promise.all(subscriptions.map((each) => each.started(patience))).catch(async (error) => {
    await stop()
    throw error
  })

  return {
    get faults() {
      return subscriptions.flatMap(told)
    },
    hand() {
      const hands: Hand[] = subscriptions.map((each) => each.hand())
      return {
        size: hands.reduce((sum, { size }) => sum + size, 0),
        answer(count) {
          let rest = count
          for (const { size, answer } of hands) {
            answer(Math.min(rest, size))
            rest -= Math.min(rest, size)
          }
        },
      }
    },
    rest(resting) {
      for (const each of subscriptions) each.rest(resting)
    },
    [Symbol.asyncDispose]: stop,
  }
}

const told = ({ queue, fault }: Subscription): string[] =>
  fault ? [`Workers get no tickets of the queue "${queue}", so its jobs start late: ${fault.message}`] : []
