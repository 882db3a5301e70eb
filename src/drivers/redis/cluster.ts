import { pause } from '../../async/signals.ts'
import type { Millis } from '../../port/index.ts'
import type { BellRoute } from './bells.ts'
import { isPassing, isRefused, translate, unavailable } from './faults.ts'
import { createLine, type Line } from './line.ts'
import type { Route } from './link.ts'
import type { Settings } from './settings.ts'
import { slotOf } from './slot.ts'
import type { Address } from './url.ts'

/** How long a line may take to stand before the nodes are asked whether its keys have moved. */
const PATIENCE: Millis = 250

/** The masters of a Cluster: which of them holds a slot, and one line to each that holds any of ours. */
export interface Cluster extends Route {
  /** The node that holds a channel or key now; asks the nodes when that is not known. */
  nodeOf(key: string, until: Millis): Promise<Address>
  /** Slots are held by other nodes than before. */
  onChange(hear: () => void): () => void
  /** The nodes that hold any of our slots. */
  nodes(): Address[]
}

type SlotRange = [from: number, to: number, master: [host: string | null, port: number, ...unknown[]]]

/**
 * Follows where slots go. A slot that is on its way from one node to another (ASK) is waited for: some of its
 * keys are here and some there, and a script needs all of them.
 */
export function openCluster(settings: Settings, prefixes: readonly string[]): Cluster {
  const slots = new Map(prefixes.map((prefix) => [prefix, slotOf(prefix)]))
  const lines = new Map<string, Promise<Line>>()
  const changes = new Set<() => void>()
  let known: readonly Address[] = settings.hosts
  let nodes = new Map<number, Address>()
  let refreshing: Promise<void> | undefined
  let refreshed = 0
  let over = false

  function lineTo(address: Address): Promise<Line> {
    const name = nameOf(address)
    const line = lines.get(name) ?? createLine(settings, address)
    lines.set(name, line)
    return line
  }

  function refresh(): Promise<void> {
    refreshing ??= ask().finally(() => {
      refreshing = undefined
      refreshed = performance.now()
    })
    return refreshing
  }

  /** Of the first node that answers; those that can be reached at once come first. */
  async function ask(): Promise<void> {
    let fault: unknown
    for (const address of [...shuffled(known), ...settings.hosts]) {
      try {
        const line = await lineTo(address)
        const client = await line.ready(PATIENCE * 4)
        const answer = (await client.call('CLUSTER', 'SLOTS')) as SlotRange[]
        return learn(answer, address)
      } catch (error) {
        if (over) throw error
        fault = error
        if (!isPassing(error)) throw translate(error, nameOf(address))
      }
    }
    throw fault ? translate(fault, settings.server) : unavailable(settings.server)
  }

  function learn(answer: readonly SlotRange[], from: Address): void {
    const found = new Map<number, Address>()
    const all = new Map<string, Address>()
    for (const [first, last, ...members] of answer) {
      const [master, ...replicas] = members.map(([host, port]) => hosted(host, port, from))
      if (!master) continue
      for (const node of [master, ...replicas]) all.set(nameOf(node), node)
      for (const slot of slots.values()) if (slot >= first && slot <= last) found.set(slot, master)
    }
    if (found.size === 0) return
    const isNew = [...found].some(([slot, node]) => nameOf(nodes.get(slot)) !== nameOf(node))
    nodes = found
    known = [...all.values()]
    const needed = new Set([...nodes.values()].map(nameOf))
    for (const [name, line] of lines) {
      if (needed.has(name)) continue
      lines.delete(name)
      closeSoon(line)
    }
    if (isNew) tell()
  }

  function tell(): void {
    for (const hear of [...changes]) hear()
  }

  async function nodeOf(key: string, until: Millis): Promise<Address> {
    const slot = slots.get(key) ?? slotOf(key)
    for (;;) {
      const node = nodes.get(slot)
      if (node) return node
      try {
        await refresh()
      } catch (error) {
        if (over || !isPassing(error) || performance.now() > until) throw error
      }
      if (nodes.has(slot)) continue
      if (performance.now() > until) throw unavailable(settings.server, new Error('no node holds the slot'))
      await pause(PATIENCE * (0.5 + Math.random()))
    }
  }

  return {
    nodeOf,
    nodes: () => [...nodes.values()],
    onChange(hear) {
      changes.add(hear)
      return () => changes.delete(hear)
    },
    async find(prefix, until) {
      const line = await lineTo(await nodeOf(prefix, until))
      return { line, patience: PATIENCE }
    },
    async missed(error, line) {
      const moved = /^MOVED (\d+) (.*):(\d+)$/.exec(error instanceof Error ? error.message : '')
      if (moved) {
        const at = hosted(moved[2]!, Number(moved[3]), line.address!)
        nodes = new Map([...nodes, [Number(moved[1]), at]])
        // The others may have moved as well.
        void refresh().catch(() => {})
        tell()
        return true
      }
      if (performance.now() - refreshed > PATIENCE) await refresh().catch(() => {})
      // A slot that is on its way (ASK) has come there soon.
      return isRefused(error) || ![...nodes.values()].some((node) => nameOf(node) === nameOf(line.address))
    },
    async all(until) {
      const held = await Promise.all(prefixes.map((prefix) => nodeOf(prefix, until)))
      const each = new Map(held.map((node) => [nameOf(node), node]))
      return Promise.all([...each.values()].map(lineTo))
    },
    close() {
      over = true
      for (const line of lines.values()) closeSoon(line)
      lines.clear()
    },
  }
}

/** Lines of their own to the same nodes, for subscriptions. */
export function openBellRoute(settings: Settings, cluster: Cluster): BellRoute {
  const lines = new Map<string, Promise<Line>>()
  const stops: (() => void)[] = []
  return {
    async find(channel, until) {
      const node = await cluster.nodeOf(channel, until)
      const name = nameOf(node)
      const line = lines.get(name) ?? createLine(settings, node)
      lines.set(name, line)
      return { line: await line, patience: PATIENCE }
    },
    missed: cluster.missed,
    onChange(hear) {
      const change = () => {
        const held = new Set(cluster.nodes().map(nameOf))
        for (const [name, line] of lines) {
          if (held.has(name)) continue
          lines.delete(name)
          closeSoon(line)
        }
        hear()
      }
      stops.push(cluster.onChange(change))
    },
    all: () => Promise.all(lines.values()),
    close() {
      for (const stop of stops) stop()
      for (const line of lines.values()) closeSoon(line)
      lines.clear()
    },
  }
}

const closeSoon = (line: Promise<Line>): void => void line.then((it) => it.close()).catch(() => {})

/** Without a host, it is that of who says so. */
const hosted = (host: string | null, port: number, from: Address): Address => ({
  host: host || from.host,
  port,
})

const nameOf = (address: Address | undefined): string => (address ? `${address.host}:${address.port}` : '')

const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
