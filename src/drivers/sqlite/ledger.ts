import {
  arrive,
  type Decision,
  type Job,
  type Join,
  type JoinState,
  type Ledger,
  type Root,
} from '../../port/index.ts'
import { admit } from './line.ts'
import { type Moment, number } from './moment.ts'
import { type Row, SUCCEEDED, slotOf } from './row.ts'
import { pack, unpack } from './text.ts'

/** What a join's row says in one number. */
const FAIL_FAST = 1
const CANCEL_SIBLINGS = 2
const ROOT = 4
const RELEASE = 8
const BESIDES = 16
const OTHERWISE = 32

/** A cancel of the join itself, or of its members only. */
export const CANCEL = 1
const MEMBERS = 2

export const decisions = ['active', 'succeeded', 'failed', 'cancelled'] as const

/** A join's row, as `statements.join` reads it. */
export interface JoinRow {
  readonly id: string
  readonly flow: string
  readonly size: number
  readonly state: number
  readonly mark: number | null
  readonly flags: number
  readonly slot_join: string | null
  readonly slot_index: number | null
}

/** Store a flow's joins, all open. */
export function insertJoins(at: Moment, joins: readonly Join[]): void {
  for (const {
    id,
    flow,
    size,
    reports,
    release,
    besides,
    otherwise,
    failFast,
    cancelSiblings,
    root,
  } of joins) {
    if (root) {
      const { outline, keep, notify } = root
      at.sql.insertFlow.run(id, pack(outline), keep.succeeded, keep.failed, notify ?? null)
    }
    const flags =
      (failFast ? FAIL_FAST : 0) |
      (cancelSiblings ? CANCEL_SIBLINGS : 0) |
      (root ? ROOT : 0) |
      (release ? RELEASE : 0) |
      (besides ? BESIDES : 0) |
      (otherwise ? OTHERWISE : 0)
    const jobs = flags >= RELEASE ? JSON.stringify({ release, besides, otherwise }) : null
    at.sql.insertJoin.run(id, flow, size, flags, reports?.join ?? null, reports?.index ?? null, at.now, jobs)
  }
}

/**
 * new → waiting or scheduled, or succeeded if it was done before; its arrival is the rule's to see to.
 *
 * @returns false if its id is taken, and then nothing was written
 */
export function enter(at: Moment, job: Job): boolean {
  if (!admit(at, job)) return false
  const { id, done, keep, notify } = job
  if (done === undefined) return true
  if (job.flow === undefined && keep.succeeded === 0) at.sql.removeDone.run(id)
  else at.sql.done.run(pack(done), at.now, job.flow === undefined ? at.now + keep.succeeded : null, id)
  at.changes.push({ id, notify: notify ?? null })
  at.told = true
  return true
}

/** What follows from any final end: its slot is filled, and who waits for it is told. */
export function follow(
  at: Moment,
  row: Pick<Row, 'id' | 'notify' | 'slot_join' | 'slot_index'>,
  state: number,
): void {
  const slot = slotOf(row)
  if (slot) arrive(ledger(at), slot, state === SUCCEEDED, row.id)
  at.changes.push({ id: row.id, notify: row.notify })
  at.told = true
}

/** The arrive rule's view of the file, within one transaction. */
export const ledger = (at: Moment): Ledger => ({
  join(id) {
    const row = at.sql.join.get(id) as JoinRow | undefined
    return row && stateOf(at, row)
  },
  fill({ join, index }, ok, by) {
    if (Number(at.sql.fillSlot.run(index, ok ? 1 : 0, by, join).changes) === 0) return undefined
    const [filled, failed] = at.sql.countSlot.get(ok ? 0 : 1, join) as [number, number]
    return { filled, failed }
  },
  decide(join, state: Decision) {
    at.sql.decide.run(decisions.indexOf(state), at.now, join.id)
    const { root } = join
    if (!root) return
    at.sql.forgetFlow.run(at.now + (state === 'succeeded' ? root.keep.succeeded : root.keep.failed), join.id)
    at.changes.push({ id: join.id, notify: root.notify ?? null })
    at.told = true
  },
  queue(jobs) {
    for (const job of jobs) enter(at, job)
  },
  cancelled(id) {
    const row = at.sql.join.get(id) as JoinRow
    if (number(at.sql.marked, row.flow) === 0) return false
    return row.mark === CANCEL || (row.slot_join !== null && below(at, row.slot_join))
  },
  cancelMembers(id) {
    const row = at.sql.join.get(id) as JoinRow
    if (row.mark === null) mark(at, row.id, row.flow, MEMBERS)
  },
})

/** Put a mark on a join; its flow's idle members are ended by the next `endMarked`. */
export function mark(at: Moment, join: string, flow: string, kind: number): void {
  at.sql.markJoin.run(kind, join)
  at.sql.markFlow.run(at.now, flow)
  at.covered.clear()
  if (!at.marks) at.sql.bumpMarks.run()
  at.marks = true
}

/** Whether a cancel mark lies on this job or on a join above it. */
export function covered(
  at: Moment,
  row: { readonly marked: number; readonly flow: string | null; readonly slot_join: string | null },
): boolean {
  if (row.marked) return true
  if (row.flow === null || row.slot_join === null || number(at.sql.marked, row.flow) === 0) return false
  return below(at, row.slot_join)
}

/** Whether this join, or one above it, carries a mark. */
export function below(at: Moment, join: string): boolean {
  const path: string[] = []
  let found = false
  for (let id: string | null = join; id !== null && !found; ) {
    const known = at.covered.get(id)
    if (known !== undefined) {
      found = known
      break
    }
    path.push(id)
    const row = at.sql.join.get(id) as JoinRow | undefined
    found = row !== undefined && row.mark !== null
    id = row?.slot_join ?? null
  }
  for (const id of path) at.covered.set(id, found)
  return found
}

function stateOf(at: Moment, row: JoinRow): JoinState {
  return { join: joinOf(at, row), state: decisions[row.state]! }
}

/** What a join queues, and a root's record, are read only when asked for: they may be a flow's whole rest. */
export function joinOf(at: Moment, { id, flow, size, flags, ...row }: JoinRow): Join {
  const jobs = once(
    () =>
      JSON.parse((at.sql.joinJobs.get(id) as [string])[0]) as Pick<Join, 'release' | 'besides' | 'otherwise'>,
  )
  const root = once(() => rootOf(at, id))
  const reports = slotOf(row)
  return {
    id,
    flow,
    size,
    ...(reports && { reports }),
    ...(flags & FAIL_FAST && { failFast: true }),
    ...(flags & CANCEL_SIBLINGS && { cancelSiblings: true }),
    get release() {
      return flags & RELEASE ? jobs().release : undefined
    },
    get besides() {
      return flags & BESIDES ? jobs().besides : undefined
    },
    get otherwise() {
      return flags & OTHERWISE ? jobs().otherwise : undefined
    },
    get root() {
      return flags & ROOT ? root() : undefined
    },
  }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function rootOf(at: Moment, id: string): Root {
  const row = at.sql.flow.get(id) as {
    outline: string
    keep_succeeded: number
    keep_failed: number
    notify: string | null
  }
  return {
    outline: unpack(row.outline),
    keep: { succeeded: row.keep_succeeded, failed: row.keep_failed },
    ...(row.notify !== null && { notify: row.notify }),
  }
}
