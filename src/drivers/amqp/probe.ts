import { pause } from '../../async/signals.ts'
import type { Millis } from '../../port/index.ts'
import type { ConfirmChannel, Connection } from './library.ts'
import type { Link } from './link.ts'
import type { Topology } from './topology.ts'

/** How long a message that nobody gets may take. */
const ANSWER: Millis = 1_000

/**
 * Publish what reaches nobody: RabbitMQ tells of a shortage only those that publish. After this `blocked` says
 * how it is; one that is blocked confirms nothing.
 */
export async function probe(link: Link, connection: Connection, { nobody }: Topology): Promise<void> {
  if (link.blocked) return
  const over = new AbortController()
  const end = () => over.abort()
  connection.once('blocked', end)
  let channel: ConfirmChannel | undefined
  const confirmed = async () => {
    channel = await connection.createConfirmChannel()
    channel.on('error', end)
    channel.publish('', nobody, Buffer.alloc(0), {}, end)
  }
  confirmed().catch(end)
  await pause(ANSWER, over.signal)
  connection.off('blocked', end)
  // Of one that is blocked the answer may never come.
  void channel?.close().catch(() => {})
}
