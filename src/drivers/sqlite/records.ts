import { setImmediate as turn } from 'node:timers/promises'
import {
  type Arrival,
  type Attempt,
  type Count,
  type EndCode,
  type FlowRecord,
  type JobRecord,
  type JobState,
  type Join,
  type JoinRecord,
  jobStates,
  type ListFilter,
  type Page,
  type Records,
} from '../../port/index.ts'
import type { Ground } from './ground.ts'
import { below, CANCEL, covered, decisions, type JoinRow, joinOf } from './ledger.ts'
import type { Database, Value } from './library.ts'
import type { Moment } from './moment.ts'
import { ACTIVE, CANCELLED, EXPIRED, JOB, JOB_CELLS, jobOf, RETRYING, SCHEDULED, WAITING } from './row.ts'
import { unpack } from './text.ts'

/** Rows looked at in one go by a listing or a count; then other work has its turn. */
const STRIDE = 5000

const RECORD = `${JOB}, seq, state, failures, crashes, marked, created, due, next, expires, started, ended, worker,
  progress, result, code, attempts`

function prepare(db: Database) {
  const arrays = (sql: string) => {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    return statement
  }
  return {
    job: arrays(`SELECT ${RECORD} FROM jobs WHERE id = ?`),
    flow: db.prepare(`SELECT flows.id, outline, keep_succeeded, keep_failed, state, mark, created, ended
      FROM flows JOIN joins ON joins.id = flows.id WHERE flows.id = ?`),
    slots: db.prepare(`SELECT slot, ok, filled_by FROM slots WHERE join_n = (SELECT n FROM joins WHERE id = ?)
      AND slot >= ? ORDER BY slot LIMIT ?`),
    stride: arrays('SELECT min(seq) FROM (SELECT seq FROM jobs WHERE seq < ? ORDER BY seq DESC LIMIT ?)'),
    /** Idle jobs may read as waiting, cancelled or expired: they are let through and looked at one by one. */
    page: arrays(`SELECT ${RECORD} FROM jobs WHERE seq < ?1 AND seq >= ?2
      AND (?3 IS NULL OR task = ?3) AND (?4 IS NULL OR queue = ?4)
      AND (?5 IS NULL OR state = ?5 OR (?5 IN (1, 6, 7) AND state IN (0, 1, 3))) ORDER BY seq DESC LIMIT ?6`),
    count:
      arrays(`SELECT queue, CASE WHEN state IN (0, 1, 3) AND expires <= ?1 THEN 7 WHEN next <= ?1 THEN 1 ELSE state
      END AS shown, count(*) FROM jobs WHERE seq < ?2 AND seq >= ?3 GROUP BY queue, shown`),
    /** Members that a mark may cover and no sweep has ended yet. */
    unswept:
      arrays(`SELECT queue, CASE WHEN expires <= ?1 THEN 7 WHEN next <= ?1 THEN 1 ELSE state END, flow, slot_join, marked
      FROM jobs
      WHERE flow IN (SELECT id FROM flows WHERE unswept IS NOT NULL) AND state IN (0, 1, 3)`),
    workers: db.prepare(`SELECT worker, queues, expires,
      (SELECT count(*) FROM jobs WHERE state = 2 AND jobs.worker = workers.worker) AS active FROM workers`),
  }
}

/** What readers see. A listing or a count goes through the file in strides and is no single instant. */
export function createRecords(db: Database, { writer, look }: Ground): Records {
  const sql = prepare(db)

  /** The oldest place of the stride below `top`; `undefined` when nothing is left. */
  function stride(top: number): number | undefined {
    return (sql.stride.get(top, STRIDE) as [number | null])[0] ?? undefined
  }

  return {
    get: (ids) =>
      writer.read(() => {
        const at = look()
        return ids.map((id) => {
          const cells = sql.job.get(id) as Value[] | undefined
          if (cells) return jobRecord(at, cells)
          const flow = sql.flow.get(id) as FlowRow | undefined
          return flow && flowRecord(flow)
        })
      }),

    joins: (ids) =>
      writer.read(() => {
        const at = look()
        return ids.map((id): JoinRecord | undefined => {
          const row = at.sql.join.get(id) as JoinRow | undefined
          if (!row) return undefined
          const state = decisions[row.state]!
          return { join: whole(joinOf(at, row)), state, cancelling: state === 'active' && below(at, id) }
        })
      }),

    slots: (join, from, limit) =>
      writer.read(() => {
        const rows = sql.slots.all(join, from, limit) as { slot: number; ok: number; filled_by: string }[]
        return rows.map((row): Arrival => ({ index: row.slot, ok: row.ok === 1, by: row.filled_by }))
      }),

    async list(filter, limit, cursor) {
      const wanted = stateNumber(filter)
      const jobs: JobRecord[] = []
      let top = cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor)
      for (;;) {
        const floor = await writer.read(() => stride(top))
        if (floor === undefined) return { jobs }
        const page = await writer.read(() => {
          const at = look()
          const { task = null, queue = null } = filter
          const rows = sql.page.all(top, floor, task, queue, wanted, limit - jobs.length) as Value[][]
          return rows.map((cells) => ({ seq: cells[SEQ] as number, record: jobRecord(at, cells) }))
        })
        const full = page.length === limit - jobs.length
        for (const { record } of page) {
          if (filter.state === undefined || record.state === filter.state) jobs.push(record)
        }
        top = full ? page.at(-1)!.seq : floor
        if (jobs.length === limit) return await pageOf(jobs, top)
        await turn()
      }
    },

    async counts() {
      const counts = new Map<string, Map<number, number>>()
      const add = (queue: string, state: number, count: number) => {
        const byState = counts.get(queue) ?? new Map<number, number>()
        counts.set(queue, byState)
        byState.set(state, (byState.get(state) ?? 0) + count)
      }
      for (let top = Number.MAX_SAFE_INTEGER; ; ) {
        const floor = await writer.read(() => stride(top))
        if (floor === undefined) break
        const rows = await writer.read(
          () => sql.count.all(look().now, top, floor) as [string, number, number][],
        )
        for (const [queue, state, count] of rows) add(queue, state, count)
        top = floor
        await turn()
      }
      await writer.read(() => {
        const at = look()
        for (const [queue, shown, flow, slot_join, marked] of sql.unswept.all(at.now) as UnsweptCells[]) {
          if (!covered(at, { marked, flow, slot_join })) continue
          add(queue, shown, -1)
          add(queue, CANCELLED, 1)
        }
      })
      return inOrder(counts)
    },

    workers: () =>
      writer.read(() => {
        const rows = sql.workers.all() as {
          worker: string
          queues: string
          expires: number
          active: number
        }[]
        return rows.map(({ worker, queues, expires, active }) => {
          return { worker, queues: JSON.parse(queues) as string[], active, expires }
        })
      }),
  }

  async function pageOf(jobs: JobRecord[], top: number): Promise<Page> {
    const more = (await writer.read(() => stride(top))) !== undefined
    return more ? { jobs, cursor: String(top) } : { jobs }
  }
}

type UnsweptCells = [queue: string, shown: number, flow: string, slot_join: string | null, marked: number]

const stateNumber = ({ state }: ListFilter): number | null =>
  state === undefined ? null : jobStates.indexOf(state)

function inOrder(counts: Map<string, Map<number, number>>): Count[] {
  return [...counts].flatMap(([queue, byState]) =>
    [...byState]
      .filter(([, count]) => count > 0)
      .sort(([a], [b]) => a - b)
      .map(([state, count]) => ({ queue, state: jobStates[state]!, count })),
  )
}

const SEQ = JOB_CELLS

function jobRecord(at: Moment, cells: readonly Value[]): JobRecord {
  const [, state, failures, crashes, marked, created, due, next, expires, started, ended, worker, ...texts] =
    cells.slice(SEQ) as RecordCells
  const [progress, result, code, attempts] = texts
  const job = jobOf(cells)
  const idle = state < ACTIVE || state === RETRYING
  const below =
    idle || state === ACTIVE
      ? covered(at, { marked, flow: job.flow ?? null, slot_join: job.reports?.join ?? null })
      : false
  const past = (time: number | null) => time !== null && time <= at.now
  // As it is, which is ahead of the sweep: below a mark, or past its time, a job won't start; due, it waits.
  const shown = !idle ? state : below ? CANCELLED : past(expires) ? EXPIRED : past(next) ? WAITING : state
  const reason = !idle ? code : shown === CANCELLED ? 'CANCELLED' : shown === EXPIRED ? 'EXPIRED' : null
  return {
    kind: 'job',
    job,
    state: jobStates[shown] as JobState,
    cancelling: state === ACTIVE && below,
    attempt: 1 + failures,
    crashes,
    created,
    due,
    ...((shown === SCHEDULED || shown === RETRYING) && next !== null && { next }),
    ...(started !== null && { started }),
    ...(ended !== null && { ended }),
    ...(worker !== null && { worker }),
    ...(progress !== null && { progress: unpack(progress) }),
    ...(result !== null && { result: unpack(result) }),
    ...(reason !== null && { code: reason }),
    attempts: attempts === null ? [] : (JSON.parse(attempts) as Attempt[]),
  }
}

type RecordCells = [
  seq: number,
  state: number,
  failures: number,
  crashes: number,
  marked: number,
  created: number,
  due: number,
  next: number | null,
  expires: number | null,
  started: number | null,
  ended: number | null,
  worker: string | null,
  progress: string | null,
  result: string | null,
  code: EndCode | null,
  attempts: string | null,
]

interface FlowRow {
  readonly id: string
  readonly outline: string
  readonly keep_succeeded: number
  readonly keep_failed: number
  readonly state: number
  readonly mark: number | null
  readonly created: number
  readonly ended: number | null
}

/** A join with all that is read lazily, and without fields that are not set. */
function whole(join: Join): Join {
  return Object.fromEntries(
    Object.entries(join).filter(([, value]) => value !== undefined),
  ) as unknown as Join
}

function flowRecord(row: FlowRow): FlowRecord {
  const state = decisions[row.state]!
  return {
    kind: 'flow',
    id: row.id,
    outline: unpack(row.outline),
    keep: { succeeded: row.keep_succeeded, failed: row.keep_failed },
    state,
    cancelling: state === 'active' && row.mark === CANCEL,
    created: row.created,
    ...(row.ended !== null && { ended: row.ended }),
  }
}
