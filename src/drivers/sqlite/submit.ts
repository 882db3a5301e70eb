import { BackendError } from '../../errors.ts'
import { idOf, type Job, type Receipt, type Submission, start } from '../../port/index.ts'
import { MANY } from './insert.ts'
import { enter, insertJoins, ledger } from './ledger.ts'
import { admitMany, isPlain } from './line.ts'
import { claim } from './locks.ts'
import { exists, type Moment } from './moment.ts'
import { endMarked } from './moves.ts'

/** new → waiting or scheduled, each submission whole or not at all; a known id writes nothing. */
export function submit(at: Moment, batch: readonly Submission[]): Receipt[] {
  // Ids are unique among jobs and joins, and most files hold no join.
  const known: Known = { joins: exists(at.sql.anyFlow) }
  const receipts: Receipt[] = []
  while (receipts.length < batch.length) {
    const jobs = plainJobs(at, batch, receipts.length, known)
    const written = jobs && admitMany(at, jobs)
    if (written) for (let i = 0; i < MANY; i++) receipts.push(receipt(jobs[i]!.id, written[i]!))
    else {
      const end = Math.min(receipts.length + MANY, batch.length)
      while (receipts.length < end) receipts.push(submitOne(at, batch[receipts.length]!, known))
    }
  }
  if (known.joins) endMarked(at)
  return receipts
}

interface Known {
  joins: boolean
}

const receipt = (id: string, written: boolean): Receipt => ({
  id,
  status: written ? 'accepted' : 'duplicate',
})

const isJoin = (at: Moment, id: string, { joins }: Known): boolean => joins && exists(at.sql.hasJoin, id)

/** The next `MANY` submissions, if each is of one plain job. */
function plainJobs(at: Moment, batch: readonly Submission[], from: number, known: Known): Job[] | undefined {
  if (from + MANY > batch.length) return undefined
  const found: Job[] = []
  for (let i = from; i < from + MANY; i++) {
    const { joins, jobs, unique } = batch[i]!
    const job = jobs[0]!
    if (joins || unique || !isPlain(job) || isJoin(at, job.id, known)) return undefined
    found.push(job)
  }
  return found
}

function submitOne(at: Moment, submission: Submission, known: Known): Receipt {
  const id = idOf(submission)
  if (isJoin(at, id, known)) return receipt(id, false)
  if (submission.unique) {
    if (exists(at.sql.hasJob, id)) return receipt(id, false)
    const held = claim(at, submission, submission.unique)
    if (held) return held
  }
  if (!submission.joins) return receipt(id, enter(at, submission.jobs[0]!))
  if (exists(at.sql.hasJob, id)) return receipt(id, false)
  known.joins = true
  insertJoins(at, submission.joins)
  for (const job of submission.jobs) {
    if (!enter(at, job)) throw taken(id, job.id)
  }
  start(ledger(at), submission)
  return receipt(id, true)
}

const taken = (flow: string, id: string): BackendError =>
  new BackendError(
    'BACKEND_ERROR',
    `The flow "${flow}" holds a job "${id}", and another job has that id. Nothing was stored.`,
  )
