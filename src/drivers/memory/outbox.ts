import type { Entry, Millis, Outbox } from '../../port/index.ts'
import { promote } from './moves.ts'
import { enter, now, ring, type Space, type Tickets } from './space.ts'

type Tag = Parameters<Tickets['set']>[0]

export function outbox(space: Space, limit: number, hold: Millis): Outbox {
  const at = now(space)
  if (promote(space, at) > 0) ring(space)
  space.outbox ??= whatWaits(space)
  const entries: Entry[] = []
  for (const [tag, until] of space.outbox) {
    if (entries.length === limit) break
    const { row, place } = tag
    if (row.state !== 'waiting' || row.place !== place) space.outbox.delete(tag)
    else if (until <= at) {
      space.outbox.set(tag, at + hold)
      entries.push({ queue: row.job.queue, id: row.job.id, tag })
    }
  }
  const due = space.timed.peek()
  return { entries, ...(due && { nextDue: Math.max(0, due.key - at) }) }
}

export function sent(space: Space, entries: readonly Entry[]): void {
  for (const { tag } of entries) space.outbox?.delete(tag as Tag)
}

function whatWaits(space: Space): Tickets {
  const tickets: Tickets = new Map()
  const waiting = [...space.rows.values()].filter(({ state }) => state === 'waiting')
  for (const row of waiting.sort((a, b) => a.place - b.place)) enter(tickets, row)
  return tickets
}
