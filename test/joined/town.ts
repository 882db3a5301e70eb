import { joined } from '../../src/drivers/joined/index.ts'
import type { Timing } from '../../src/drivers/joined/timing.ts'
import { memory } from '../../src/drivers/memory/index.ts'
import {
  type Backend,
  type Broker,
  type Delivery,
  type End,
  isFinal,
  type JobRecord,
  type Receiver,
  type Store,
  type StoreConsumer,
  type Submission,
} from '../../src/port/index.ts'
import { chord, single } from '../../src/testing/conformance/build.ts'
import { fakeBroker, type Weather } from './broker.ts'

/** What happens in one run. */
export interface Plan {
  readonly random: () => number
  readonly timing: Timing
  readonly weather?: Weather
  /** Whether the process that comes to this step, the nth of all, dies there. */
  readonly dies: (step: number) => boolean
  /** Whether the broker forgets everything at this step. */
  readonly forgets?: (step: number) => boolean
  /** Changes what a process does, to see that the simulation notices. */
  readonly mutate?: (parts: { broker: Broker; store: Store }) => { broker: Broker; store: Store }
  /** Move the clock on. */
  readonly pass: (ms: number) => Promise<void>
}

/** What came of it: jobs without an end, jobs whose end was applied more than once, and what is left over. */
export interface Outturn {
  readonly stuck: readonly string[]
  readonly twice: readonly string[]
  readonly tickets: number
  readonly unsent: number
  readonly steps: number
  /** In virtual milliseconds, until the last job had ended. */
  readonly took: number
}

const LEASE = 3_000
const WORKERS = 2
const PATIENCE = 60_000
let towns = 0

/** Two workers and a producer, each a process of its own with its own connections, over one store and one broker. */
export async function runTown(plan: Plan): Promise<Outturn> {
  const { random, pass } = plan
  const space = `town-${++towns}`
  const centre = fakeBroker(random, plan.weather)
  const registry = memory(space)
  const deliveries = new Map<string, number>()
  const ends = new Map<string, number>()
  let steps = 0
  let over = false

  /** A process: every call that it makes is a step before which, and one after which, it may die. */
  function start(): { backend: Backend; alive: () => boolean } {
    const connection = centre.connect()
    let alive = true
    const never = () => new Promise<never>(() => {})
    async function point(): Promise<void> {
      if (!alive) return never()
      steps++
      if (plan.forgets?.(steps)) centre.forget()
      if (!plan.dies(steps)) return
      alive = false
      connection.cut()
      return never()
    }
    const stepwise =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        await point()
        const answer = await call(...args)
        await point()
        return answer
      }
    const native = memory(space)
    const store: Store = {
      ...native,
      submit: stepwise(native.submit),
      sweep: stepwise(native.sweep),
      outbox: stepwise(native.outbox),
      sent: stepwise(native.sent),
      async consume(options) {
        const consumer = await native.consume(options)
        return {
          ...consumer,
          claim: stepwise(consumer.claim),
          finish: stepwise(consumer.finish),
          renew: async (progress) => (alive ? consumer.renew(progress) : never()),
        } satisfies StoreConsumer
      },
    }
    const broker: Broker = {
      ...connection,
      publish: stepwise(connection.publish),
      async receive(options): Promise<Receiver> {
        const receiver = await connection.receive({ ...options, arrived: () => alive && options.arrived() })
        return { ...receiver, rest: (resting) => alive && receiver.rest(resting) }
      },
    }
    const parts = plan.mutate?.({ broker, store }) ?? { broker, store }
    return { backend: joined(parts.broker, parts.store, plan.timing), alive: () => alive }
  }

  /** Deliveries end somehow, and well when they have ended badly often enough. */
  function endOf({ job, token }: Delivery): End {
    const luck = token > 5 ? 1 : random()
    if (luck < 0.1) return { kind: 'back' }
    if (luck < 0.25) return { kind: 'again', delay: Math.floor(random() * 100), counts: true }
    if (luck < 0.3) return { kind: 'final', state: 'failed', result: `1"${job.id} failed"` }
    return { kind: 'final', state: 'succeeded', result: `1"${job.id}"` }
  }

  async function work(name: string): Promise<void> {
    const { backend, alive } = start()
    const worker = await backend.consume({ worker: name, queues: both, capacity: 3, lease: LEASE })
    const stop = new AbortController()
    const beat = setInterval(() => void worker.renew([]).catch(() => {}), LEASE / 3)
    const sweep = setInterval(() => void backend.sweep(100).catch(() => {}), 700 + random() * 300)
    const watch = setInterval(() => {
      if (alive() && !over) return
      for (const timer of [beat, sweep, watch]) clearInterval(timer)
      stop.abort()
      if (!over) setTimeout(() => void work(`${name}'`), 1_000)
    }, 100)
    let busy = 0
    async function run(delivery: Delivery): Promise<void> {
      deliveries.set(delivery.job.id, (deliveries.get(delivery.job.id) ?? 0) + 1)
      await new Promise((resolve) => setTimeout(resolve, 5 + random() * 40))
      const end = endOf(delivery)
      const [applied] = await worker.finish([{ delivery, ran: 5, end }])
      if (applied === 'applied' && end.kind === 'final') {
        ends.set(delivery.job.id, (ends.get(delivery.job.id) ?? 0) + 1)
      }
      busy--
    }
    while (!stop.signal.aborted) {
      if (busy >= 3) await new Promise((resolve) => setTimeout(resolve, 10))
      else {
        for (const delivery of await worker.take(3 - busy, stop.signal)) {
          busy++
          void run(delivery)
        }
      }
    }
  }

  /** Submits all; when it dies, another one does so again, as a caller does who got no answer. */
  async function produce(): Promise<void> {
    let { backend, alive } = start()
    for (const batch of batches) {
      for (let accepted = false; !accepted; ) {
        const answer = backend.submit(batch).then(() => true)
        const dead = new Promise<false>((resolve) => {
          const timer = setInterval(() => {
            if (alive() && !accepted) return
            clearInterval(timer)
            resolve(false)
          }, 200)
        })
        accepted = await Promise.race([answer, dead])
        if (!accepted) ({ backend, alive } = start())
      }
      await new Promise((resolve) => setTimeout(resolve, random() * 200))
    }
  }

  for (let i = 0; i < WORKERS; i++) void work(`worker-${i}`)
  let submitted = false
  void produce().then(() => {
    submitted = true
  })
  let took = 0
  let stuck: string[] = ids
  for (; took < PATIENCE && !(submitted && stuck.length === 0); took += 100) {
    await pass(100)
    if (submitted) stuck = await unended(registry)
  }
  // What is under way comes to rest.
  await pass(15_000)
  over = true
  await pass(1_000)
  return {
    stuck,
    twice: [...ends].filter(([, count]) => count > 1).map(([id]) => id),
    tickets: centre.size,
    unsent: (await registry.outbox(1000, 0)).entries.length,
    steps,
    took,
  }
}

async function unended(store: Store): Promise<string[]> {
  const records = await store.records.get(ids)
  return ids.filter((_, i) => !records[i] || !isFinal((records[i] as JobRecord).state))
}

const both = [
  { name: 'default', weight: 2 },
  { name: 'other', weight: 1 },
]
const batches: readonly Submission[][] = [
  [single({ id: 'a' }), single({ id: 'b', priority: 9 }), single({ id: 'c', due: { in: 300 } })],
  [chord('f', 3)],
  [single({ id: 'd', queue: 'other' }), single({ id: 'e', queue: 'other', due: { in: 50 } })],
  [single({ id: 'g' }), single({ id: 'h' }), single({ id: 'i', queue: 'other' })],
]
const ids = ['a', 'b', 'c', 'd', 'e', 'g', 'h', 'i', 'f', 'f/0', 'f/1', 'f/2']
