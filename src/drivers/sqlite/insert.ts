import type { Job } from '../../port/index.ts'
import type { Database, Statement, Value } from './library.ts'
import { pack } from './text.ts'

/** Plain jobs written by one statement. */
export const MANY = 10

/**
 * Writes runs of `MANY` jobs that differ in id and body only. Most of what an insert costs is handing its
 * values to the library one by one; so what the jobs of one kind have in common (task, queue, and so on) is
 * written into a statement of its own, and a batch hands over a fifth of the values.
 */
export interface Inserter {
  /**
   * new → waiting. An id that is taken writes nothing.
   *
   * @returns for each whether it was written; `undefined` if they are of several kinds, or their kind is rare
   */
  insert(jobs: readonly Job[], now: number): boolean[] | undefined
}

/** Kinds that are remembered; beyond, all are forgotten and learnt anew. */
const KINDS = 100
/** Runs of a kind after which a statement is made for it. */
const FREQUENT = 3

export function createInserter(db: Database): Inserter {
  const kinds = new Map<string, { runs: number; statement?: Statement }>()
  const idsFrom = db.prepare('SELECT id FROM jobs WHERE seq >= ? ORDER BY seq')
  const values: Value[] = []

  function statementFor(kind: string): Statement | undefined {
    let known = kinds.get(kind)
    if (!known) {
      if (kinds.size === KINDS) kinds.clear()
      known = { runs: 0 }
      kinds.set(kind, known)
    }
    if (!known.statement && ++known.runs >= FREQUENT) known.statement = db.prepare(insertMany(kind))
    return known.statement
  }

  return {
    insert(jobs, now) {
      const [first] = jobs
      for (const job of jobs) if (!isSameKind(job, first!)) return undefined
      const kind = literals(first!)
      const statement = kind === undefined ? undefined : statementFor(kind)
      if (!statement) return undefined
      values[0] = now
      for (let i = 0; i < MANY; i++) {
        values[1 + 2 * i] = jobs[i]!.id
        values[2 + 2 * i] = pack(jobs[i]!.body)
      }
      const { changes, lastInsertRowid } = statement.run(...values)
      const count = Number(changes)
      if (count === MANY) return ALL
      if (count === 0) return NONE
      // New places are consecutive, so the last ones tell which jobs are new: each the first of its id.
      const written = idsFrom.all(Number(lastInsertRowid) - count + 1) as { id: string }[]
      const fresh = new Set(written.map(({ id }) => id))
      return jobs.map(({ id }) => fresh.delete(id))
    },
  }
}

const ALL: boolean[] = Array(MANY).fill(true)
const NONE: boolean[] = Array(MANY).fill(false)

const isSameKind = (job: Job, other: Job): boolean =>
  job.task === other.task &&
  job.queue === other.queue &&
  job.priority === other.priority &&
  job.keep.succeeded === other.keep.succeeded &&
  job.keep.failed === other.keep.failed &&
  job.notify === other.notify

/** What jobs of one kind have in common, as SQL; `undefined` if it can't be written so. */
function literals({ queue, priority, task, keep, notify }: Job): string | undefined {
  const texts = [queue, task, ...(notify === undefined ? [] : [notify])]
  const numbers = [priority, keep.succeeded, keep.failed]
  if (texts.some((text) => text.includes('\0')) || !numbers.every(Number.isSafeInteger)) return undefined
  return `${quoted(queue)}, ${priority}, ${quoted(task)}, ${keep.succeeded}, ${keep.failed}, ${
    notify === undefined ? 'NULL' : quoted(notify)
  }`
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`

function insertMany(kind: string): string {
  const rows = Array.from({ length: MANY }, (_, i) => `(1, ?1, ?1, ?${2 * i + 2}, ?${2 * i + 3}, ${kind})`)
  return `INSERT INTO jobs (state, created, due, id, body, queue, priority, task, keep_succeeded, keep_failed, notify)
    VALUES ${rows.join(', ')} ON CONFLICT (id) DO NOTHING`
}
