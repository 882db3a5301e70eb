import type { Job, Join, Slot } from './job.ts'

/** What the rule needs of a driver, within one transaction. */
export interface Ledger {
  join(id: string): JoinState | undefined
  /** Write who filled a slot, unless it is filled; the join's counts after it, or `undefined` if it was. */
  fill(slot: Slot, ok: boolean, by: string): { readonly filled: number; readonly failed: number } | undefined
  /** Store the decision. On a root join: start its retention and wake who waits for the flow. */
  decide(join: Join, state: Decision): void
  /** Make jobs waiting or, with `due`, scheduled. */
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
 * Iterative, so that a chain of a thousand empty groups needs no deep stack.
 */
export function arrive(ledger: Ledger, slot: Slot | undefined, ok: boolean, by: string): void {
  const arrivals: Arrival[] = slot ? [{ slot, ok, by }] : []
  for (let next = arrivals.pop(); next; next = arrivals.pop()) settle(ledger, next, arrivals)
}

/** Decide the joins of size 0 that a submission or a release lists. */
export function open(ledger: Ledger, joins: readonly string[] | undefined): void {
  const arrivals: Arrival[] = []
  for (const id of joins ?? []) {
    const found = ledger.join(id)
    if (found?.state === 'active') decide(ledger, found.join, true, arrivals)
  }
  for (let next = arrivals.pop(); next; next = arrivals.pop()) settle(ledger, next, arrivals)
}

interface Arrival {
  slot: Slot
  ok: boolean
  by: string
}

function settle(ledger: Ledger, { slot, ok, by }: Arrival, arrivals: Arrival[]): void {
  const counts = ledger.fill(slot, ok, by)
  if (!counts) return
  const found = ledger.join(slot.join)
  if (found?.state !== 'active') return
  const { join } = found
  if (!ok && join.cancelSiblings) ledger.cancelMembers(join.id)
  if (counts.filled === join.size || (!ok && join.failFast)) {
    decide(ledger, join, counts.failed === 0, arrivals)
  }
}

function decide(ledger: Ledger, join: Join, well: boolean, arrivals: Arrival[]): void {
  const goesOn = !well || join.release !== undefined
  const stopped = goesOn && ledger.cancelled(join.id)
  const state = stopped ? 'cancelled' : well ? 'succeeded' : 'failed'
  ledger.decide(join, state)
  if (state === 'succeeded' && join.besides && !ledger.cancelled(join.id)) ledger.queue([join.besides])
  if (state === 'succeeded' && join.release) {
    ledger.queue(join.release.jobs)
    for (const id of join.release.opens ?? []) {
      const inner = ledger.join(id)
      if (inner?.state === 'active') decide(ledger, inner.join, true, arrivals)
    }
    return
  }
  if (state === 'failed' && join.otherwise) ledger.queue([join.otherwise])
  if (join.reports) arrivals.push({ slot: join.reports, ok: state === 'succeeded', by: join.id })
}
