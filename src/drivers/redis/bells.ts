import type { Link } from './link.ts'

export type Hear = (message: string) => void

/** Subscriptions of a process, on one connection. All of it are hints: what is missed costs time only. */
export interface Bells {
  /** Hear a channel until the returned function is called; resolves once the subscription stands. */
  listen(channel: string, hear: Hear): Promise<() => void>
  /** After a broken connection, when what was published meanwhile is lost. */
  onReturn(hear: () => void): () => void
  close(): Promise<void>
}

export function createBells(open: () => Promise<Link>): Bells {
  const channels = new Map<string, Set<Hear>>()
  const returns = new Set<() => void>()
  let opening: Promise<Link> | undefined
  let over = false

  async function link(): Promise<Link> {
    opening ??= open().then((link) => {
      let first = true
      link.client.on('message', (channel: string, message: string) => {
        for (const hear of [...(channels.get(channel) ?? [])]) hear(message)
      })
      link.client.on('ready', () => {
        if (!first) void resume(link)
        first = false
      })
      return link
    })
    return opening
  }

  /** The connection is a new one. Should it break as well, the next one comes here again. */
  async function resume({ client }: Link): Promise<void> {
    try {
      if (channels.size > 0) await client.subscribe(...channels.keys())
    } catch {
      return
    }
    for (const hear of [...returns]) hear()
  }

  return {
    async listen(channel, hear) {
      const same = channels.get(channel) ?? new Set()
      channels.set(channel, same.add(hear))
      const stop = () => {
        same.delete(hear)
        if (same.size > 0 || channels.get(channel) !== same) return
        channels.delete(channel)
        void opening
          ?.then(({ client }) => !over && client.status === 'ready' && client.unsubscribe(channel))
          .catch(() => {})
      }
      try {
        await (await link()).ask((client) => client.subscribe(channel))
      } catch (error) {
        stop()
        throw error
      }
      return stop
    },
    onReturn(hear) {
      returns.add(hear)
      return () => returns.delete(hear)
    },
    async close() {
      over = true
      await (await opening?.catch(() => undefined))?.close()
    },
  }
}
