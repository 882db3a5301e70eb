import type { Delivery } from '../../port/index.ts'
import { covered } from './ledger.ts'
import type { Value } from './library.ts'
import { exists, type Moment } from './moment.ts'
import { cancel, expire } from './moves.ts'
import { JOB_CELLS, jobOf, type Row } from './row.ts'

/** What comes in a row of a line behind the job's own cells. */
const SEQ = JOB_CELLS
const TOKEN = SEQ + 1
const FAILURES = SEQ + 2
const CRASHES = SEQ + 3
const DUE = SEQ + 4
const EXPIRES = SEQ + 5

const FLOW = 10
const PRIORITY = 4

/** Jobs that one claim ends, at the most, because it met them expired or cancelled. */
const ENDS = 500

/** One worker's claims within one `take`; `suspect` once it holds a job under which a worker was lost. */
export interface Claims {
  readonly worker: string
  /** A number of this take's own. */
  readonly hold: number
  suspect: boolean | undefined
  ended: number
}

/**
 * waiting → active: up to `limit` jobs of one queue. What has expired or was cancelled while it waited is
 * ended on the way, so that a long line of such jobs costs its length once.
 */
export function claim(at: Moment, claims: Claims, queue: string, limit: number, taken: Delivery[]): number {
  let count = 0
  while (count < limit && claims.ended < ENDS) {
    const line = nextOf(at, claims, queue, limit - count)
    const seqs: number[] = []
    let ended = 0
    for (const cells of line) {
      if (startable(at, cells)) {
        seqs.push(cells[SEQ] as number)
        taken.push(deliver(at, cells, claims.hold))
        if (cells[CRASHES] !== 0) claims.suspect = true
      } else ended++
    }
    activate(at, claims, seqs)
    count += seqs.length
    claims.ended += ended
    if (ended === 0) break
  }
  return count
}

/** The first of a line, with at most one suspect, and none if this worker holds one. */
function nextOf(at: Moment, claims: Claims, queue: string, limit: number): Value[][] {
  const line = at.sql.nextInLine.all(queue, limit) as Value[][]
  if (claims.suspect) return line
  const suspect = at.sql.nextSuspect.get(queue, 1) as Value[] | undefined
  if (!suspect) return line
  claims.suspect = exists(at.sql.holdsSuspect, claims.worker)
  if (claims.suspect) return line
  const behind = line.findIndex((cells) => comesAfter(cells, suspect))
  line.splice(behind < 0 ? line.length : behind, 0, suspect)
  return line.slice(0, limit)
}

function comesAfter(cells: Value[], other: Value[]): boolean {
  const byPriority = (other[PRIORITY] as number) - (cells[PRIORITY] as number)
  return byPriority > 0 || (byPriority === 0 && (cells[SEQ] as number) > (other[SEQ] as number))
}

/** Whether it may start; if not, it is ended here. */
function startable(at: Moment, cells: Value[]): boolean {
  const expires = cells[EXPIRES] as number | null
  const late = expires !== null && expires <= at.now
  if (!late && cells[FLOW] === null) return true
  const row = at.sql.rowBySeq.get(cells[SEQ] as number) as Row
  if (covered(at, row)) cancel(at, row)
  else if (late) expire(at, row)
  else return true
  return false
}

function activate(at: Moment, { hold, worker }: Claims, seqs: number[]): void {
  if (seqs.length === 1) at.sql.claim.run(hold, worker, at.now, seqs[0]!)
  else if (seqs.length > 1) at.sql.claimMany.run(hold, worker, at.now, JSON.stringify(seqs))
}

/** Which row a delivery is of, and by which take. */
export interface Tag {
  readonly seq: number
  readonly hold: number
}

function deliver(at: Moment, cells: Value[], hold: number): Delivery {
  const tag: Tag = { seq: cells[SEQ] as number, hold }
  return {
    job: jobOf(cells),
    token: (cells[TOKEN] as number) + 1,
    attempt: 1 + (cells[FAILURES] as number),
    crashes: cells[CRASHES] as number,
    age: at.now - (cells[DUE] as number),
    tag,
  }
}
