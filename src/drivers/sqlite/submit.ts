import { BackendError } from '../../errors.ts'
import { idOf, type Receipt, type Submission, start } from '../../port/index.ts'
import { enter, insertJoins, ledger } from './ledger.ts'
import { exists, type Moment } from './moment.ts'
import { endMarked } from './moves.ts'

/** new → waiting or scheduled, each submission whole or not at all; a known id writes nothing. */
export function submit(at: Moment, batch: readonly Submission[]): Receipt[] {
  // Ids are unique among jobs and joins, and most files hold no join.
  let joins = exists(at.sql.anyFlow)
  const receipts = batch.map((submission): Receipt => {
    const id = idOf(submission)
    if (joins && exists(at.sql.hasJoin, id)) return { id, status: 'duplicate' }
    if (!submission.joins) {
      const [job] = submission.jobs
      return { id, status: enter(at, job!) ? 'accepted' : 'duplicate' }
    }
    if (exists(at.sql.hasJob, id)) return { id, status: 'duplicate' }
    joins = true
    insertJoins(at, submission.joins)
    for (const job of submission.jobs) {
      if (!enter(at, job)) throw taken(id, job.id)
    }
    start(ledger(at), submission)
    return { id, status: 'accepted' }
  })
  if (joins) endMarked(at)
  return receipts
}

const taken = (flow: string, id: string): BackendError =>
  new BackendError(
    'BACKEND_ERROR',
    `The flow "${flow}" holds a job "${id}", and another job has that id. Nothing was stored.`,
  )
