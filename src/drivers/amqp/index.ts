import { UsageError } from '../../errors.ts'
import { type Backend, isStore, type Store } from '../../port/index.ts'
import { joined } from '../joined/index.ts'
import { openBroker } from './broker.ts'
import { parse } from './url.ts'

/** Which RabbitMQ carries, and who keeps. */
export interface AmqpOptions {
  /** `amqp://user:password@host:5672/vhost`; see the guide to RabbitMQ for all that it may hold. */
  readonly url: string
  /** Owns the jobs: a backend of memory, SQLite or Redis. It is closed with this one. */
  readonly results: Store
}

/**
 * RabbitMQ before a backend that owns the jobs. What `connect('amqp://…', { results })` does, for a store that was
 * made by its driver's own function.
 *
 * @throws UsageError BAD_URL, UNKNOWN_OPTION, INVALID_OPTION, DRIVER_MISSING
 * @throws BackendError BACKEND_AUTH when RabbitMQ refuses us; one that can't be reached is waited for in the background
 * @example
 * const app = connect(await amqp({ url: 'amqp://localhost', results: sqlite({ path: './millrace.db' }) }))
 */
export async function amqp({ url, results }: AmqpOptions): Promise<Backend> {
  if (!isStore(results)) {
    throw new UsageError(
      'INVALID_OPTION',
      'Expected "results" to be a backend that can stand behind RabbitMQ: memory:, sqlite: or redis: with one shard.',
    )
  }
  return joined(await openBroker(parse(url)), results)
}
