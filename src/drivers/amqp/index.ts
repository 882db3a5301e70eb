import type { Broker } from '../../port/index.ts'
import { openBroker } from './broker.ts'
import { parse } from './url.ts'

/**
 * RabbitMQ at a URL, which carries tickets from who has work to who has room. The jobs are a store's own.
 *
 * @throws UsageError BAD_URL, UNKNOWN_OPTION, INVALID_OPTION, DRIVER_MISSING
 * @throws BackendError BACKEND_AUTH when it refuses us; one that can't be reached is waited for in the background
 */
export const open = async (url: string): Promise<Broker> => openBroker(parse(url))
