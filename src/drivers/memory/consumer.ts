import {
  type Applied,
  type ConsumeOptions,
  type Delivery,
  fairShare,
  type Outcome,
  type Progress,
  type Renewal,
  type StoreConsumer,
} from '../../port/index.ts'
import { end, endMarked, loseWorker, postpone, promote, putBack, remember } from './moves.ts'
import type { Row } from './row.ts'
import { covered, hint, lineOf, now, ring, type Space, type WorkerRow } from './space.ts'

/** One worker's subscription to a space. */
export function createConsumer(space: Space, options: ConsumeOptions): StoreConsumer {
  const share = fairShare(options.queues)
  let closed = false
  const me: WorkerRow = {
    name: options.worker,
    queues: options.queues.map((queue) => queue.name),
    expires: now(space) + options.lease,
    held: new Map(),
  }
  /** What was handed out and not finished, as far as this worker knows. */
  const out = new Set<Delivery>()
  space.workers.set(me.name, me)

  function renewLease(at: number): void {
    me.expires = at + options.lease
    space.workers.set(me.name, me)
  }

  function claim(max: number): Delivery[] {
    const at = now(space)
    promote(space, at)
    renewLease(at)
    let suspects = 0
    for (const row of me.held.values()) if (row.crashes > 0) suspects++
    const admits = (row: Row) => row.expires > at && (row.crashes === 0 || suspects === 0)
    const taken: Delivery[] = []
    share(max, (queue, limit) => {
      const from = lineOf(space, queue)
      let count = 0
      while (count < limit) {
        const row = from.next(admits)
        if (!row) break
        if (covered(space, row)) {
          end(space, row, 'cancelled', at, { code: 'CANCELLED' })
          continue
        }
        if (row.crashes > 0) suspects++
        taken.push(hand(row, at))
        count++
      }
      return count
    })
    return taken
  }

  function hand(row: Row, at: number): Delivery {
    row.state = 'active'
    row.token++
    row.started = at
    row.worker = me.name
    row.expires = Number.POSITIVE_INFINITY
    me.held.set(row.job.id, row)
    const delivery: Delivery = {
      job: row.job,
      token: row.token,
      attempt: 1 + row.failures,
      crashes: row.crashes,
      age: at - row.due,
      tag: row,
    }
    out.add(delivery)
    if (space.listeners.size > 0) hint(space, row.job.id)
    return delivery
  }

  function apply({ delivery, end: how }: Outcome, at: number): Applied {
    const row = delivery.tag as Row
    out.delete(delivery)
    if (row.state !== 'active' || row.token !== delivery.token) return 'stale'
    if (how.kind === 'final') {
      end(space, row, how.state, at, { result: how.result })
      return 'applied'
    }
    if (how.kind === 'again') {
      if (how.counts) row.failures++
      remember(row, { start: row.started!, end: at, worker: me.name, ...(how.error && { error: how.error }) })
    }
    if (covered(space, row)) end(space, row, 'cancelled', at, { code: 'CANCELLED' })
    else if (how.kind === 'back') putBack(space, row)
    else postpone(space, row, at + how.delay)
    if (space.listeners.size > 0) hint(space, row.job.id)
    return 'applied'
  }

  return {
    async take(max, signal) {
      while (!signal.aborted && !closed) {
        const taken = claim(max)
        if (taken.length > 0) return taken
        await runnable(space, signal)
      }
      return []
    },

    async claim(max) {
      return closed ? [] : claim(max)
    },

    async renew(progress: readonly Progress[]): Promise<Renewal> {
      const at = now(space)
      renewLease(at)
      for (const { delivery, progress: body } of progress) {
        const row = delivery.tag as Row
        if (row.state !== 'active' || row.token !== delivery.token) continue
        row.progress = body
        if (space.listeners.size > 0) hint(space, row.job.id)
      }
      const cancel: Delivery[] = []
      const lost: Delivery[] = []
      for (const delivery of out) {
        const row = delivery.tag as Row
        if (row.state !== 'active' || row.token !== delivery.token) lost.push(delivery)
        else if (covered(space, row)) cancel.push(delivery)
      }
      for (const delivery of lost) out.delete(delivery)
      return { cancel, lost }
    },

    async finish(outcomes) {
      const at = now(space)
      const applied = outcomes.map((outcome) => apply(outcome, at))
      endMarked(space, at)
      ring(space)
      return applied
    },

    async [Symbol.asyncDispose]() {
      closed = true
      loseWorker(space, me, now(space))
      ring(space)
    },
  }
}

/** Resolves when something may be runnable, or at the abort. */
function runnable(space: Space, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const due = space.timed.peek()
    const timer = due && setTimeout(done, Math.min(Math.max(due.key - now(space), 0), 2 ** 31 - 1)).unref()
    function done() {
      clearTimeout(timer)
      space.idle.delete(done)
      signal.removeEventListener('abort', done)
      resolve()
    }
    space.idle.add(done)
    signal.addEventListener('abort', done, { once: true })
  })
}
