import type { Entry, Millis, Outbox as Page } from '../../port/index.ts'
import type { Ground } from './ground.ts'
import type { Database } from './library.ts'
import { promote } from './line.ts'
import { exists, type Moment } from './moment.ts'
import { untilNextDue } from './moves.ts'

/** An outbox that was not asked for in this time is kept no longer. */
const LAPSE: Millis = 3_600_000
/** How often it is noted that it was asked for. */
const NOTE: Millis = 60_000

/** Tickets for a broker that stands before the file. See {@link Store} in port/relay.ts. */
export interface Outbox {
  read(limit: number, hold: Millis): Promise<Page>
  sent(entries: readonly Entry[]): Promise<void>
  /** Stop keeping it, if nobody has asked for it in a long time. */
  lapse(): Promise<void>
}

/**
 * Triggers keep the outbox, so that every process on the file does, also one that knows nothing of a broker; and
 * a file that has none before it pays nothing. A ticket whose job was taken meanwhile is dropped when it is met.
 */
const CREATE = `
  CREATE TABLE outbox (n INTEGER PRIMARY KEY, id TEXT NOT NULL, queue TEXT NOT NULL, held INTEGER NOT NULL DEFAULT 0);
  CREATE TRIGGER outbox_new AFTER INSERT ON jobs WHEN NEW.state = 1
    BEGIN INSERT INTO outbox (id, queue) VALUES (NEW.id, NEW.queue); END;
  CREATE TRIGGER outbox_again AFTER UPDATE OF state ON jobs WHEN NEW.state = 1
    BEGIN INSERT INTO outbox (id, queue) VALUES (NEW.id, NEW.queue); END;
  INSERT INTO outbox (id, queue) SELECT id, queue FROM jobs WHERE state = 1 ORDER BY seq;
  INSERT INTO meta VALUES ('outbox', 0);`

const DROP = `
  DROP TRIGGER outbox_new;
  DROP TRIGGER outbox_again;
  DROP TABLE outbox;
  DELETE FROM meta WHERE name = 'outbox';`

const prepare = (db: Database) => ({
  any: db.prepare('SELECT 1 FROM outbox WHERE held <= ? LIMIT 1'),
  page: db.prepare(`SELECT n, id, queue, EXISTS (SELECT 1 FROM jobs WHERE id = outbox.id AND state = 1) AS waits
    FROM outbox WHERE held <= ? ORDER BY n LIMIT ?`),
  hold: db.prepare('UPDATE outbox SET held = ? WHERE n IN (SELECT value FROM json_each(?))'),
  drop: db.prepare('DELETE FROM outbox WHERE n IN (SELECT value FROM json_each(?))'),
  /** A number may come again: only with the same hold is it the same ticket. */
  sent: db.prepare('DELETE FROM outbox WHERE held = ? AND n IN (SELECT value FROM json_each(?))'),
})

interface Line {
  readonly n: number
  readonly id: string
  readonly queue: string
  readonly waits: number
}

interface Tag {
  readonly n: number
  readonly held: number
}

export function createOutbox(db: Database, { writer, look }: Ground): Outbox {
  let sql: ReturnType<typeof prepare> | undefined

  /** When it was asked for, as it was noted last; `undefined` if none is kept. */
  function noted({ sql: { meta } }: Moment): number | undefined {
    return (meta.get('outbox') as [number] | undefined)?.[0]
  }

  function keep(at: Moment): ReturnType<typeof prepare> {
    const before = noted(at)
    if (before === undefined) db.exec(CREATE)
    if (before === undefined || at.now - before > NOTE) at.sql.setMeta.run(at.now, 'outbox')
    sql ??= prepare(db)
    return sql
  }

  function pageOf(at: Moment, entries: readonly Entry[]): Page {
    const nextDue = untilNextDue(at)
    return { entries, ...(nextDue !== undefined && { nextDue }) }
  }

  function readEntries(at: Moment, limit: number, hold: Millis): Entry[] {
    const { page, hold: holdThese, drop } = keep(at)
    promote(at, limit)
    for (;;) {
      const lines = page.all(at.now, limit) as Line[]
      const stale = lines.filter(({ waits }) => !waits)
      if (stale.length > 0) drop.run(numbers(stale))
      const live = lines.filter(({ waits }) => waits)
      if (live.length === 0 && lines.length > 0) continue
      const held = at.now + Math.ceil(hold)
      if (live.length > 0) holdThese.run(held, numbers(live))
      return live.map(({ n, id, queue }) => ({ id, queue, tag: { n, held } satisfies Tag }))
    }
  }

  return {
    async read(limit, hold) {
      const nothing = await writer.read(() => {
        const at = look()
        const before = noted(at)
        if (before === undefined || at.now - before > NOTE) return undefined
        sql ??= prepare(db)
        const some = exists(sql.any, at.now) || exists(at.sql.due, at.now, 1)
        return some ? undefined : pageOf(at, [])
      })
      return nothing ?? writer.write((at) => pageOf(at, readEntries(at, limit, hold)), true)
    },
    async sent(entries) {
      if (entries.length === 0) return
      const byHold = new Map<number, Tag[]>()
      for (const { tag } of entries as readonly { readonly tag: Tag }[]) {
        const same = byHold.get(tag.held)
        if (same) same.push(tag)
        else byHold.set(tag.held, [tag])
      }
      await writer.write((at) => {
        if (noted(at) === undefined) return
        for (const [held, tags] of byHold) keep(at).sent.run(held, numbers(tags))
      }, true)
    },
    async lapse() {
      const over = (at: Moment) => at.now - (noted(at) ?? Number.POSITIVE_INFINITY) > LAPSE
      if (!(await writer.read(() => over(look())))) return
      await writer.write((at) => {
        if (over(at)) db.exec(DROP)
      })
      sql = undefined
    },
  }
}

const numbers = (lines: readonly { readonly n: number }[]): string => JSON.stringify(lines.map(({ n }) => n))
