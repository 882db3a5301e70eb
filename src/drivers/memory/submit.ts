import { idOf, type Receipt, type Submission, start } from '../../port/index.ts'
import { claim } from './locks.ts'
import { admit, endMarked, ledger } from './moves.ts'
import { now, ring, type Space } from './space.ts'

/** Each submission whole or not at all; a known id writes nothing. */
export function submit(space: Space, batch: readonly Submission[]): Receipt[] {
  const at = now(space)
  const receipts = batch.map((submission): Receipt => {
    const id = idOf(submission)
    if (space.rows.has(id) || space.joins.has(id)) return { id, status: 'duplicate' }
    const held = submission.unique && claim(space, submission, submission.unique, at)
    if (held) return held
    const root = submission.joins?.find((join) => join.root)
    if (root) space.flows.set(id, { root, rows: [], joins: [], marked: false })
    for (const join of submission.joins ?? []) {
      space.joins.set(join.id, {
        join,
        state: 'active',
        slots: new Map(),
        failed: 0,
        mark: undefined,
        created: at,
        ended: undefined,
      })
      space.flows.get(join.flow)!.joins.push(join.id)
    }
    for (const job of submission.jobs) admit(space, job, at)
    if (submission.joins) start(ledger(space, at), submission)
    return { id, status: 'accepted' }
  })
  endMarked(space, at)
  ring(space)
  return receipts
}
