import assert from 'node:assert/strict'
import type { Backend, Consumer, Delivery, Job, Outcome } from '../../../src/port/index.ts'

export const LEASE = 10_000

/** One worker of the property test: what it holds, and what it has lost or ended and may still send. */
export interface Hand {
  readonly consumer: Consumer
  held: Delivery[]
  readonly past: Outcome[]
}

/** What the test itself knows of a job, to check every delivery against. */
interface Known {
  token: number
  failures: number
  crashes: number
  ended: boolean
}

export interface Crew extends AsyncDisposable {
  readonly hands: readonly Hand[]
  take(hand: Hand, max: number): Promise<void>
  finish(hand: Hand, outcomes: readonly Outcome[]): Promise<void>
  /** Send again what was applied before, or what a lost delivery would have come to. */
  repeat(hand: Hand): Promise<void>
  /** This worker is not heard of until its lease has lapsed; the others are. */
  lose(hand: Hand): Promise<void>
  crashes(id: string): number
  /** Ids of jobs that were handed out at least once. */
  readonly started: ReadonlySet<string>
}

export async function createCrew(
  backends: readonly Backend[],
  queue: string,
  jobs: ReadonlyMap<string, Job>,
  pass: (time: number) => Promise<void>,
): Promise<Crew> {
  const known = new Map<string, Known>()
  const started = new Set<string>()
  const hands: Hand[] = []
  for (const [i, backend] of backends.entries()) {
    const consumer = await backend.consume({
      worker: `${queue}-${i}`,
      queues: [{ name: queue, weight: 1 }],
      capacity: 10,
      lease: LEASE,
    })
    hands.push({ consumer, held: [], past: [] })
  }

  const about = (id: string): Known => {
    const it = known.get(id) ?? { token: 0, failures: 0, crashes: 0, ended: false }
    known.set(id, it)
    return it
  }

  async function send(hand: Hand, outcomes: readonly Outcome[], answer: 'applied' | 'stale') {
    const applied = await hand.consumer.finish(outcomes)
    assert.deepEqual(
      applied,
      outcomes.map(() => answer),
    )
  }

  return {
    hands,
    started,
    crashes: (id) => about(id).crashes,
    async take(hand, max) {
      const late = AbortSignal.timeout(5_000)
      const taken = await hand.consumer.take(max, late)
      assert.ok(taken.length > 0 && taken.length <= max, `Expected 1 to ${max} jobs, got ${taken.length}.`)
      assert.ok(taken.filter(({ crashes }) => crashes > 0).length <= 1, 'Expected at most one suspect.')
      for (const { job, token, attempt, crashes } of taken) {
        const it = about(job.id)
        started.add(job.id)
        assert.ok(jobs.has(job.id), `Expected jobs of the flow only, got "${job.id}".`)
        assert.ok(!it.ended, `Expected "${job.id}" not to run after its end.`)
        assert.ok(
          token > it.token,
          `Expected the token of "${job.id}" to rise above ${it.token}, got ${token}.`,
        )
        assert.deepEqual([job.id, attempt, crashes], [job.id, 1 + it.failures, it.crashes])
        it.token = token
      }
      hand.held.push(...taken)
    },
    async finish(hand, outcomes) {
      await send(hand, outcomes, 'applied')
      for (const { delivery, end } of outcomes) {
        const it = about(delivery.job.id)
        if (end.kind === 'final') it.ended = true
        if (end.kind === 'again' && end.counts) it.failures++
      }
      hand.held = hand.held.filter((held) => !outcomes.some(({ delivery }) => delivery === held))
      hand.past.push(...outcomes)
    },
    async repeat(hand) {
      await send(hand, hand.past, 'stale')
    },
    async lose(hand) {
      for (const other of hands) if (other !== hand) await other.consumer.renew([])
      await pass(LEASE - 1_000)
      for (const other of hands) if (other !== hand) await other.consumer.renew([])
      await pass(2_000)
      for (const delivery of hand.held) {
        about(delivery.job.id).crashes++
        hand.past.push({ delivery, ran: 1, end: { kind: 'final', state: 'succeeded', result: '"late"' } })
      }
      hand.held = []
    },
    async [Symbol.asyncDispose]() {
      for (const { consumer } of hands) await consumer[Symbol.asyncDispose]()
    },
  }
}
