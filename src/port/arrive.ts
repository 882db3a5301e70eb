import type { Job, Join, Release, Slot } from './job.ts'

/** What the rule needs of a driver, within one transaction. */
export interface Ledger {
  join(id: string): JoinState | undefined
  /** Write who filled a slot, unless it is filled; the join's counts after it, or `undefined` if it was. */
  fill(slot: Slot, ok: boolean, by: string): { readonly filled: number; readonly failed: number } | undefined
  /** Store the decision. On a root join: start its retention and wake who waits for the flow. */
  decide(join: Join, state: Decision): void
  /**
   * Make jobs waiting or, with `due`, scheduled; store those that were done before as succeeded. Store them
   * only: the rule sees to their arrival, so that a long chain of them needs no deep stack.
   */
  queue(jobs: readonly Job[]): void
  /** Whether this join was cancelled, or lies below a mark of either kind. */
  cancelled(join: string): boolean
  /**
   * Put a mark on a join that covers its members, but is no cancel of the join itself. Only the mark: to
   * end members within this call would arrive at the join while it is being settled.
   */
  cancelMembers(join: string): void
}

export type Decision = 'succeeded' | 'failed' | 'cancelled'

export interface JoinState {
  readonly join: Join
  readonly state: 'active' | Decision
}

/**
 * The one rule by which flows move. `(slot, ok, by)`: the first write to a slot wins. An open join is
 * decided when full, or with `failFast` at its first failure. Decided well, `besides` is queued; then, with a
 * release, the release, whose jobs carry the outer slot; without one, it arrives at its own slot. Decided
 * badly, `otherwise` is queued and it arrives badly. Below a cancel mark nothing is queued, so what would
 * have gone on ends there. Later slots of a decided join are kept for readers only.
 *
 * Iterative, so that a chain of a thousand empty groups, or of steps done before, needs no deep stack.
 */
export function arrive(ledger: Ledger, slot: Slot | undefined, ok: boolean, by: string): void {
  if (slot) follow(ledger, [{ slot, ok, by }])
}

/**
 * What a submission sets going by itself, once its jobs and joins are stored: its jobs that were done before
 * arrive, and its joins of size 0 are decided. (A release does the same.)
 */
export function start(ledger: Ledger, release: Release): void {
  follow(ledger, startsOf(release))
}

/** A slot to fill, or a join of size 0 to decide. */
type Step = { slot: Slot; ok: boolean; by: string } | { open: string }

const startsOf = ({ jobs, opens = [] }: Release): Step[] => [
  ...jobs.flatMap(({ id, done, reports }) =>
    done !== undefined && reports ? [{ slot: reports, ok: true, by: id }] : [],
  ),
  ...opens.map((open) => ({ open })),
]

/** The list grows while it is walked. */
function follow(ledger: Ledger, steps: Step[]): void {
  for (const step of steps) {
    if ('slot' in step) {
      settle(ledger, step.slot, step.ok, step.by, steps)
    } else {
      const found = ledger.join(step.open)
      if (found?.state === 'active') decide(ledger, found.join, true, steps)
    }
  }
}

function settle(ledger: Ledger, slot: Slot, ok: boolean, by: string, steps: Step[]): void {
  const counts = ledger.fill(slot, ok, by)
  if (!counts) return
  const found = ledger.join(slot.join)
  if (found?.state !== 'active') return
  const { join } = found
  if (!ok && join.cancelSiblings) ledger.cancelMembers(join.id)
  if (counts.filled === join.size || (!ok && join.failFast)) {
    decide(ledger, join, counts.failed === 0, steps)
  }
}

function decide(ledger: Ledger, join: Join, well: boolean, steps: Step[]): void {
  const goesOn = !well || join.release !== undefined
  const stopped = goesOn && ledger.cancelled(join.id)
  const state = stopped ? 'cancelled' : well ? 'succeeded' : 'failed'
  ledger.decide(join, state)
  if (state === 'succeeded' && join.besides && !ledger.cancelled(join.id)) ledger.queue([join.besides])
  if (state === 'succeeded' && join.release) {
    ledger.queue(join.release.jobs)
    steps.push(...startsOf(join.release))
    return
  }
  if (state === 'failed' && join.otherwise) ledger.queue([join.otherwise])
  if (join.reports) steps.push({ slot: join.reports, ok: state === 'succeeded', by: join.id })
}
