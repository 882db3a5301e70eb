import type { Entry, Millis } from '../../port/index.ts'
import type { Row } from './row.ts'
import { now, type Outbox, type Space } from './space.ts'

type Tag = Parameters<Outbox['set']>[0]

/** A job became waiting. */
export function enter(outbox: Outbox, row: Row): void {
  outbox.set({ row, place: row.place }, 0)
}

export function outbox(space: Space, limit: number, hold: Millis): Entry[] {
  const at = now(space)
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
  return entries
}

export function sent(space: Space, entries: readonly Entry[]): void {
  for (const { tag } of entries) space.outbox?.delete(tag as Tag)
}

function whatWaits(space: Space): Outbox {
  const outbox: Outbox = new Map()
  const waiting = [...space.rows.values()].filter(({ state }) => state === 'waiting')
  for (const row of waiting.sort((a, b) => a.place - b.place)) enter(outbox, row)
  return outbox
}
