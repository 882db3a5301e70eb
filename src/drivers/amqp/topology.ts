import { createHash } from 'node:crypto'
import { pause } from '../../async/signals.ts'
import { BackendError } from '../../errors.ts'
import type { Millis } from '../../port/index.ts'
import type { Channel } from './library.ts'

/** The names of one namespace, and what is declared under them. */
export interface Topology {
  /** A routing key that leads nowhere. */
  readonly nobody: string
  queue(name: string): string
  /**
   * Declare a queue, with what catches its refused messages. Declaring it again changes nothing. Rejects with a
   * BackendError that may be retried when there is no answer in time, as of a queue that has lost its majority.
   */
  declare(channel: Channel, name: string): Promise<void>
}

/** A queue that was deleted is left alone for so long: RabbitMQ 3.10 breaks one that is declared while it goes. */
export const REST = 1_000

/** One declaration, which on a busy server takes tens of milliseconds. */
const ANSWER: Millis = 5_000
/** Of any name, in bytes: a limit of the protocol. */
const LONGEST = 255

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
  const own = (name: string) => shortened(name, LONGEST - Buffer.byteLength(`${refused}.`))
  const queue = (name: string) => `${namespace}.queue.${own(name)}`
  const dead = (name: string) => `${refused}.${own(name)}`

  async function declareAll(channel: Channel, name: string): Promise<void> {
    await channel.assertExchange(refused, 'direct', { durable: true })
    await channel.assertQueue(dead(name), { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await channel.bindQueue(dead(name), refused, own(name))
    await channel.assertQueue(queue(name), {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-delivery-limit': 10_000,
        'x-dead-letter-exchange': refused,
        'x-dead-letter-routing-key': own(name),
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      },
    })
  }

  return {
    nobody: `${namespace}.nobody`,
    queue,
    async declare(channel, name) {
      const answered = new AbortController()
      const { signal } = answered
      const late = pause(ANSWER, signal).then(() => {
        if (!signal.aborted) throw unanswered(name)
      })
      try {
        await Promise.race([declareAll(channel, name), late])
      } finally {
        answered.abort()
      }
    },
  }
}

/** The name, or as much of it as there is room for, told apart from others that begin like it. */
function shortened(name: string, room: number): string {
  const bytes = Buffer.from(name)
  if (bytes.length <= room) return name
  const mark = `~${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`
  let end = room - mark.length
  // Not within a character.
  while ((bytes[end]! & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end) + mark
}

const unanswered = (name: string): BackendError =>
  new BackendError(
    'BACKEND_UNAVAILABLE',
    `RabbitMQ didn't answer within ${ANSWER} ms when the queue "${name}" was declared.`,
    { retryable: true },
  )
