import type { Channel } from './library.ts'

/** The names of one namespace, and what is declared under them. */
export interface Topology {
  queue(name: string): string
  /** Declare a queue, with what catches its refused messages. Declaring it again changes nothing. */
  declare(channel: Channel, name: string): Promise<void>
}

/** A queue that was deleted is left alone for so long: RabbitMQ 3.10 breaks one that is declared while it goes. */
export const REST = 1_000

/**
 * Every argument is part of a queue's identity: RabbitMQ refuses to declare a queue again with others. So this
 * list is frozen; what is to be tuned belongs in policies.
 *
 * Quorum queues are the replicated ones that every version from 3.8 on has. Giving tickets back counts as
 * a delivery before 4.3, and nobody is harmed by a ticket that comes often, so the limit is high: that a job
 * kills its workers is counted by the store.
 */
export function createTopology(namespace: string): Topology {
  const refused = `${namespace}.refused`
  const queue = (name: string) => `${namespace}.queue.${name}`
  const dead = (name: string) => `${namespace}.refused.${name}`

  return {
    queue,
    async declare(channel, name) {
      await channel.assertExchange(refused, 'direct', { durable: true })
      await channel.assertQueue(dead(name), { durable: true, arguments: { 'x-queue-type': 'quorum' } })
      await channel.bindQueue(dead(name), refused, name)
      await channel.assertQueue(queue(name), {
        durable: true,
        arguments: {
          'x-queue-type': 'quorum',
          'x-delivery-limit': 10_000,
          'x-dead-letter-exchange': refused,
          'x-dead-letter-routing-key': name,
          'x-dead-letter-strategy': 'at-least-once',
          'x-overflow': 'reject-publish',
        },
      })
    },
  }
}
