import {
  type EndCode,
  type FlowRecord,
  type JobRecord,
  type JobState,
  jobStates,
  type ListFilter,
  type Page,
  type Records,
} from '../../port/index.ts'
import type { Row } from './row.ts'
import { below, covered, type Flow, isIdle, now, type Space } from './space.ts'

/** What readers see of a space. */
export function createRecords(space: Space): Records {
  return {
    async get(ids) {
      return ids.map((id) => {
        const row = space.rows.get(id)
        if (row) return jobRecord(space, row)
        const flow = space.flows.get(id)
        return flow && flowRecord(space, flow)
      })
    },
    async joins(ids) {
      return ids.map((id) => {
        const row = space.joins.get(id)
        if (!row) return undefined
        const { join, state } = row
        return { join, state, cancelling: state === 'active' && below(space, id) }
      })
    },
    async slots(join, from, limit) {
      return [...(space.joins.get(join)?.slots ?? [])]
        .filter(([index]) => index >= from)
        .sort(([a], [b]) => a - b)
        .slice(0, limit)
        .map(([index, { ok, by }]) => ({ index, ok, by }))
    },
    async list(filter, limit, cursor) {
      return list(space, filter, limit, cursor)
    },
    async counts() {
      const counts = new Map<string, Map<JobState, number>>()
      for (const row of space.rows.values()) {
        const byState = counts.get(row.job.queue) ?? new Map<JobState, number>()
        counts.set(row.job.queue, byState)
        const state = readState(space, row)
        byState.set(state, (byState.get(state) ?? 0) + 1)
      }
      return [...counts].flatMap(([queue, byState]) =>
        jobStates.flatMap((state) =>
          byState.has(state) ? [{ queue, state, count: byState.get(state)! }] : [],
        ),
      )
    },
    async workers() {
      return [...space.workers.values()].map(({ name, queues, held, expires }) => ({
        worker: name,
        queues,
        active: held.size,
        expires,
      }))
    },
  }
}

/** Newest first; the cursor is the last job's serial, so that jobs that come or go don't shift the pages. */
function list(space: Space, filter: ListFilter, limit: number, cursor?: string): Page {
  const rows = [...space.rows.values()]
  const jobs: JobRecord[] = []
  const before = cursor === undefined ? Number.POSITIVE_INFINITY : Number(cursor)
  let at = rows.findLastIndex((row) => row.serial < before) + 1
  while (at > 0 && jobs.length < limit) {
    const row = rows[--at]!
    if (filter.task !== undefined && row.job.task !== filter.task) continue
    if (filter.queue !== undefined && row.job.queue !== filter.queue) continue
    if (filter.state !== undefined && readState(space, row) !== filter.state) continue
    jobs.push(jobRecord(space, row))
  }
  return at > 0 ? { jobs, cursor: String(rows[at]!.serial) } : { jobs }
}

/** The state as it is, which is ahead of the sweep: below a mark, or past its time, a job won't start; due, it waits. */
function readState(space: Space, row: Row): JobState {
  if (!isIdle(row)) return row.state
  if (covered(space, row)) return 'cancelled'
  if (row.expires <= now(space)) return 'expired'
  return row.next <= now(space) ? 'waiting' : row.state
}

const endsAs: Partial<Record<JobState, EndCode>> = { expired: 'EXPIRED', cancelled: 'CANCELLED' }

function jobRecord(space: Space, row: Row): JobRecord {
  const state = readState(space, row)
  const code = isIdle(row) ? endsAs[state] : row.code
  return {
    kind: 'job',
    job: row.job,
    state,
    cancelling: row.state === 'active' && covered(space, row),
    attempt: 1 + row.failures,
    crashes: row.crashes,
    created: row.created,
    due: row.due,
    ...((state === 'scheduled' || state === 'retrying') && { next: row.next }),
    ...(row.started !== undefined && { started: row.started }),
    ...(row.ended !== undefined && { ended: row.ended }),
    ...(row.worker !== undefined && { worker: row.worker }),
    ...(row.progress !== undefined && { progress: row.progress }),
    ...(row.result !== undefined && { result: row.result }),
    ...(code !== undefined && { code }),
    attempts: [...row.attempts],
  }
}

function flowRecord(space: Space, { root }: Flow): FlowRecord {
  const { state, created, ended, mark } = space.joins.get(root.id)!
  return {
    kind: 'flow',
    id: root.id,
    outline: root.root!.outline,
    keep: root.root!.keep,
    state,
    cancelling: state === 'active' && mark === 'cancel',
    created,
    ...(ended !== undefined && { ended }),
  }
}
