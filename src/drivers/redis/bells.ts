import { pause } from '../../async/signals.ts'
import type { Millis } from '../../port/index.ts'
import { closed, isPassing, translate } from './faults.ts'
import type { Line } from './line.ts'
import type { Route } from './link.ts'
import type { Settings } from './settings.ts'

export type Hear = (message: string) => void

/**
 * Subscriptions of a process, on one connection to each server. All of it are hints: what is missed costs time
 * only. Channels are of the sharded kind, which a Cluster keeps on the node of their hash tag.
 */
export interface Bells {
  /** Hear a channel until the returned function is called; resolves once the subscription stands. */
  listen(channel: string, hear: Hear): Promise<() => void>
  /** After a broken connection, when what was published meanwhile is lost. */
  onReturn(hear: () => void): () => void
  close(): Promise<void>
}

/** A route of its own: a connection that subscribes can do nothing else. */
export interface BellRoute extends Route {
  /** Channels may lie elsewhere than before. */
  onChange?(hear: () => void): void
}

/** How long after a subscription failed it is tried again. */
const AGAIN: Millis = 1_000

export function createBells(open: () => Promise<BellRoute>, { server, timeout }: Settings): Bells {
  const channels = new Map<string, Set<Hear>>()
  const returns = new Set<() => void>()
  /** Where each channel is subscribed. */
  const placed = new Map<string, Line>()
  const heard = new WeakSet<Line>()
  let opening: Promise<BellRoute> | undefined
  let over = false

  async function route(): Promise<BellRoute> {
    opening ??= open().then(
      (route) => {
        route.onChange?.(() => {
          for (const channel of channels.keys()) void replace(channel)
        })
        return route
      },
      (error) => {
        opening = undefined
        throw error
      },
    )
    return opening
  }

  function hearOf(line: Line): void {
    if (heard.has(line)) return
    heard.add(line)
    line.client.on('smessage', (channel: string, message: string) => {
      for (const hear of [...(channels.get(channel) ?? [])]) hear(message)
    })
    line.client.on('ready', () => void resume(line))
  }

  /** The connection is a new one. Should it break as well, the next one comes here again. */
  async function resume(line: Line): Promise<void> {
    const lost = [...placed].filter(([, at]) => at === line).map(([channel]) => channel)
    if (lost.length === 0) return
    try {
      // Channels of one call have one hash tag.
      for (const tag of new Set(lost.map(tagOf)))
        await line.client.ssubscribe(...lost.filter((channel) => tagOf(channel) === tag))
    } catch {
      for (const channel of lost) if (placed.get(channel) === line) placed.delete(channel)
      return void setTimeout(() => lost.forEach((channel) => void replace(channel)), AGAIN).unref()
    }
    for (const hear of [...returns]) hear()
  }

  /** Subscribe where the channel lies. */
  async function place(channel: string): Promise<void> {
    const until = performance.now() + timeout
    for (;;) {
      let line: Line | undefined
      try {
        const found = await (await route()).find(channel, until)
        line = found.line
        if (over) throw closed(server)
        hearOf(line)
        await line.ready(Math.min(found.patience, Math.max(1, until - performance.now())))
        await line.client.ssubscribe(channel)
        if (placed.get(channel) !== line) leave(channel)
        placed.set(channel, line)
        return
      } catch (error) {
        if (over) throw closed(server)
        const isElsewhere = line !== undefined && (await (await route()).missed(error, line))
        if ((!isPassing(error) && !isElsewhere) || performance.now() > until)
          throw translate(error, line?.server ?? server)
        await pause(50)
      }
    }
  }

  /** The same, later and unasked. */
  async function replace(channel: string): Promise<void> {
    if (over || !channels.has(channel)) return
    const before = placed.get(channel)
    try {
      await place(channel)
    } catch {
      setTimeout(() => void replace(channel), AGAIN).unref()
      return
    }
    if (placed.get(channel) !== before) for (const hear of [...returns]) hear()
  }

  function leave(channel: string): void {
    const line = placed.get(channel)
    placed.delete(channel)
    if (!over && line?.client.status === 'ready') line.client.sunsubscribe(channel).catch(() => {})
  }

  return {
    async listen(channel, hear) {
      const same = channels.get(channel) ?? new Set()
      channels.set(channel, same.add(hear))
      const stop = () => {
        same.delete(hear)
        if (same.size > 0 || channels.get(channel) !== same) return
        channels.delete(channel)
        leave(channel)
      }
      try {
        await place(channel)
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
      ;(await opening?.catch(() => undefined))?.close()
    },
  }
}

const tagOf = (channel: string): string => channel.slice(0, channel.indexOf('}'))
