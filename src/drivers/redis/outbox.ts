import type { Entry, Millis, Outbox } from '../../port/index.ts'
import type { Argument } from './link.ts'
import { scripts } from './lua/index.ts'
import { asBefore, type Shard } from './shard.ts'

/** Tickets are handed out and held by the page. */
interface Tag {
  readonly page: number
  /** From 1. */
  readonly place: number
  /** How many the page holds. */
  readonly size: number
}

type Page = [number: number, tickets: string[], more: number, wait: Millis]

/** Tickets for a broker that stands before Redis. See {@link Store} in port/relay.ts. */
export async function readOutbox(shard: Shard, limit: number, hold: Millis): Promise<Outbox> {
  const entries: Entry[] = []
  for (;;) {
    // A page whose answer is lost shows again after the hold.
    const args = [limit - entries.length, Math.ceil(hold)]
    const [page, tickets, more, wait] = (await shard.run(scripts.outbox, args, asBefore)) as Page
    for (const [i, ticket] of tickets.entries()) {
      const [queue, id] = ticket.split('\n') as [string, string]
      entries.push({ queue, id, tag: { page, place: i + 1, size: tickets.length } satisfies Tag })
    }
    if (!more || entries.length === limit) return { entries, ...(wait >= 0 && { nextDue: wait }) }
  }
}

export async function forgetSent(shard: Shard, entries: readonly Entry[]): Promise<void> {
  const pages = new Map<number, { readonly size: number; readonly places: Set<number> }>()
  for (const { page, place, size } of entries.map(({ tag }) => tag as Tag)) {
    const same = pages.get(page)
    if (same) same.places.add(place)
    else pages.set(page, { size, places: new Set([place]) })
  }
  const args: Argument[] = []
  for (const [page, { size, places }] of pages) {
    if (places.size === size) args.push(page, 0)
    else args.push(page, places.size, ...places)
  }
  if (args.length > 0) await shard.run(scripts.sent, args, asBefore)
}
