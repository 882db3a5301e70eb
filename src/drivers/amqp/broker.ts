import type { Broker } from '../../port/index.ts'
import { loadLibrary } from './library.ts'
import { createLink, type Link } from './link.ts'
import { probe } from './probe.ts'
import { createPublisher } from './publisher.ts'
import { type AmqpReceiver, createReceiver } from './receiver.ts'
import { createTopology } from './topology.ts'
import type { Settings } from './url.ts'

/** How long opening waits for a broker that doesn't answer, before it goes on without. */
const PATIENCE = 3_000

/**
 * Connections to RabbitMQ: one to publish, and one to receive as soon as that is asked for, since a broker that is
 * short of memory stops reading from those that publish, and tickets must be answered all the same.
 *
 * @throws BackendError BACKEND_AUTH when it refuses us; one that can't be reached is waited for in the background
 */
export async function openBroker(settings: Settings): Promise<Broker> {
  const library = await loadLibrary()
  const topology = createTopology(settings.namespace)
  const outgoing = createLink(library, settings, 'publishes')
  await outgoing.ready(PATIENCE).catch(async (error) => {
    if (error.retryable) return
    await outgoing.close()
    throw error
  })
  const publisher = createPublisher(outgoing, settings, topology)
  let incoming: Link | undefined
  const receivers = new Set<AmqpReceiver>()

  return {
    publish: (tickets) => publisher.publish(tickets),
    async receive(options) {
      incoming ??= createLink(library, settings, 'receives')
      const up = await incoming.ready(PATIENCE).catch((error) => {
        if (!error.retryable) throw error
      })
      const receiver = await createReceiver(incoming, settings, topology, options, up ? PATIENCE : 0)
      receivers.add(receiver)
      return {
        hand: receiver.hand,
        rest: receiver.rest,
        async [Symbol.asyncDispose]() {
          receivers.delete(receiver)
          await receiver[Symbol.asyncDispose]()
        },
      }
    },
    async diagnose() {
      const present = await outgoing.ready(PATIENCE)
      const { product = 'RabbitMQ', version = 'unknown' } = present.connection.serverProperties as {
        product?: string
        version?: string
      }
      await probe(outgoing, present, topology)
      const warnings = []
      if (outgoing.blocked) warnings.push(`RabbitMQ takes no messages: ${outgoing.blocked}.`)
      if (publisher.fault) warnings.push(publisher.fault.message)
      warnings.push(...new Set([...receivers].flatMap(({ faults }) => faults)))
      return {
        backend: `amqp: ${settings.server}`,
        versions: { [product.toLowerCase()]: version },
        clockSkew: 0,
        warnings,
      }
    },
    async [Symbol.asyncDispose]() {
      await publisher.stop()
      await Promise.all([outgoing.close(), incoming?.close()])
    },
  }
}
