import type { Job } from '../../port/index.ts'
import { type Moment, number } from './moment.ts'
import { dueOf, SCHEDULED, WAITING } from './row.ts'
import { pack } from './text.ts'

/**
 * A new job into a line, or beside it until it is due.
 *
 * @returns false if its id is taken, and then nothing was written
 */
export function admit(at: Moment, job: Job): boolean {
  at.runnable = true
  at.place = undefined
  const { now, sql } = at
  const { keep, reports } = job
  if (isPlain(job)) {
    return added(
      sql.insertPlain.run(
        job.id,
        job.queue,
        job.priority,
        job.task,
        pack(job.body),
        now,
        keep.succeeded,
        keep.failed,
        job.notify ?? null,
      ),
    )
  }
  const next = dueOf(job.due, now)
  const due = Math.max(next, now)
  return added(
    sql.insert.run(
      next > now ? SCHEDULED : WAITING,
      job.id,
      job.queue,
      job.priority,
      job.task,
      pack(job.body),
      now,
      due,
      job.due && 'in' in job.due ? job.due.in : null,
      job.due && 'at' in job.due ? job.due.at : null,
      next > now ? next : null,
      job.expiresIn ?? null,
      job.expiresIn === undefined ? null : due + job.expiresIn,
      keep.succeeded,
      keep.failed,
      job.flow ?? null,
      reports?.join ?? null,
      reports?.index ?? null,
      job.notify ?? null,
    ),
  )
}

/** Whether a job says nothing beyond the usual: most do. */
export const isPlain = (job: Job): boolean =>
  !job.due && job.expiresIn === undefined && job.flow === undefined && !job.reports && job.done === undefined

const added = (result: { readonly changes: number | bigint }): boolean => Number(result.changes) === 1

/** `MANY` plain jobs at once, if they are of one frequent kind: whether each was written. */
export function admitMany(at: Moment, jobs: readonly Job[]): boolean[] | undefined {
  at.runnable = true
  at.place = undefined
  return at.sql.inserter.insert(jobs, at.now)
}

/** A place at the end of every line. */
export function lastPlace(at: Moment): number {
  at.place = (at.place ?? number(at.sql.lastPlace)) + 1
  return at.place
}

/** What is due, in the order in which it became so: to the end of its line. */
export function promote(at: Moment, limit: number): number {
  const due = at.sql.due.all(at.now, limit) as [seq: number][]
  for (const [seq] of due) at.sql.promote.run(lastPlace(at), seq)
  if (due.length > 0) at.runnable = true
  return due.length
}
