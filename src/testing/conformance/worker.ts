import assert from 'node:assert/strict'
import type { Applied, Backend, ConsumeOptions, Consumer, Delivery, End, Millis } from '../../port/index.ts'
import { BACK, LEASE, outcome, SUCCEEDED, single } from './build.ts'

/** A consumer whose waits are bounded, for tests. */
export interface Worker extends AsyncDisposable {
  readonly consumer: Consumer
  readonly name: string
  /** Up to `max` deliveries, at least one. */
  take(max?: number): Promise<Delivery[]>
  /** The one next delivery, which must be of this job. */
  takes(id: string): Promise<Delivery>
  /**
   * Deliveries of exactly these jobs, in this order, however many takes it needs. Where a queue is several lines,
   * they may come in any.
   */
  takesAll(ids: readonly string[]): Promise<Delivery[]>
  /** Exactly `count` deliveries, however many takes it needs. */
  takeSome(count: number): Promise<Delivery[]>
  /** Finish one delivery. */
  ends(delivery: Delivery, end: End): Promise<Applied>
  /** Finish deliveries, which must all be applied. */
  finishes(deliveries: readonly Delivery[], end?: End): Promise<void>
  /** Take this job and finish it. */
  runs(id: string, end?: End): Promise<void>
  /** Nothing can be taken: a job put at the very end of each line is the next one. */
  findsNothing(): Promise<void>
}

let probes = 0

export interface WorkerOptions extends Partial<Omit<ConsumeOptions, 'queues'>> {
  /** By weight. */
  readonly queues?: Readonly<Record<string, number>>
}

export async function createWorker(
  backend: Backend,
  name: string,
  patience: Millis,
  ordered: boolean,
  options: WorkerOptions = {},
): Promise<Worker> {
  const queues = Object.entries(options.queues ?? { default: 1 }).map(([queue, weight]) => ({
    name: queue,
    weight,
  }))
  const consumer = await backend.consume({ worker: name, capacity: 100, lease: LEASE, ...options, queues })

  async function take(max = 100): Promise<Delivery[]> {
    const deadline = new AbortController()
    const timer = setTimeout(() => deadline.abort(), patience)
    try {
      const taken = await within(
        consumer.take(max, deadline.signal),
        patience * 2,
        'take to end once aborted',
      )
      assert.ok(taken.length > 0, `Expected worker "${name}" to get a job within ${patience} ms, got none.`)
      assert.ok(
        !deadline.signal.aborted,
        `Expected a take to end with its first job, not after ${patience} ms.`,
      )
      assert.ok(taken.length <= max, `Expected at most ${max} jobs from one take, got ${taken.length}.`)
      return taken
    } finally {
      clearTimeout(timer)
    }
  }

  async function takeSome(count: number): Promise<Delivery[]> {
    const taken: Delivery[] = []
    while (taken.length < count) taken.push(...(await take(count - taken.length)))
    return taken
  }

  async function takesAll(ids: readonly string[]): Promise<Delivery[]> {
    const taken = ordered ? await takeSome(ids.length) : await takeThese(ids)
    assert.deepEqual(
      taken.map((delivery) => delivery.job.id),
      ids,
    )
    return taken
  }

  /** From whichever line they come; what comes before them goes back. */
  async function takeThese(ids: readonly string[]): Promise<Delivery[]> {
    const taken: Delivery[] = []
    const others: Delivery[] = []
    while (taken.length < ids.length) {
      for (const delivery of await take(ids.length - taken.length))
        (ids.includes(delivery.job.id) ? taken : others).push(delivery)
      // Of suspects it can have but one.
      if (others.some(({ crashes }) => crashes > 0)) await finishes(others.splice(0), BACK)
    }
    await finishes(others, BACK)
    return taken.sort((a, b) => ids.indexOf(a.job.id) - ids.indexOf(b.job.id))
  }

  const takes = async (id: string) => (await takesAll([id]))[0]!

  async function finishes(deliveries: readonly Delivery[], end: End = SUCCEEDED): Promise<void> {
    const applied = await consumer.finish(deliveries.map((delivery) => outcome(delivery, end)))
    assert.deepEqual(
      applied,
      deliveries.map(() => 'applied'),
    )
  }

  return {
    consumer,
    name,
    take,
    takes,
    takesAll,
    takeSome,
    finishes,
    async ends(delivery, end) {
      const [applied] = await consumer.finish([outcome(delivery, end)])
      assert.ok(applied, 'Expected one answer to one outcome, got none.')
      return applied
    },
    async runs(id, end) {
      await finishes([await takes(id)], end)
    },
    async findsNothing() {
      const keep = { succeeded: 0, failed: 0 }
      const ids = queues.map(() => `probe-${++probes}`)
      await backend.submit(queues.map((queue, i) => single({ id: ids[i]!, queue: queue.name, keep })))
      const taken: Delivery[] = []
      while (taken.length < ids.length) taken.push(...(await take()))
      const others = taken.map((delivery) => delivery.job.id).filter((id) => !ids.includes(id))
      assert.deepEqual(others, [], `Expected nothing to take, got ${others.join(', ')}.`)
      await finishes(taken)
    },
    [Symbol.asyncDispose]: () => consumer[Symbol.asyncDispose](),
  }
}

/** The promise's value, or an error that says what was waited for. */
export async function within<T>(promise: Promise<T>, patience: Millis, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Expected ${what} within ${patience} ms.`)), patience)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
