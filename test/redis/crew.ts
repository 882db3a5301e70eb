import type { Backend, Consumer, Delivery } from '../../src/port/index.ts'

/** A worker that finishes whatever it gets, through any trouble, as the real one does. */
export interface Crew extends AsyncDisposable {
  /** Ids by how often a finish of theirs was applied. */
  readonly applied: Map<string, number>
  /** Resolves once so many have ended. */
  ended(count: number): Promise<void>
}

export async function work(backend: Backend, worker: string): Promise<Crew> {
  const stop = new AbortController()
  const applied = new Map<string, number>()
  let waiting: { count: number; resolve: () => void } | undefined
  const consumer = await backend.consume({
    worker,
    queues: [{ name: 'default', weight: 1 }],
    capacity: 10,
    lease: 2_000,
  })
  const running = loop(consumer)
  const beating = setInterval(() => consumer.renew([]).catch(() => {}), 500)
  const sweeping = setInterval(() => backend.sweep(500).catch(() => {}), 500)

  async function loop({ take, finish }: Consumer): Promise<void> {
    while (!stop.signal.aborted) {
      const taken = await take(10, stop.signal).catch(() => [] as Delivery[])
      if (taken.length > 0) await ends(finish, taken)
      else await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  async function ends(finish: Consumer['finish'], taken: readonly Delivery[]): Promise<void> {
    const outcomes = taken.map((delivery) => ({
      delivery,
      ran: 1,
      end: { kind: 'final', state: 'succeeded', result: '1"done"' } as const,
    }))
    while (!stop.signal.aborted) {
      try {
        const answers = await finish(outcomes)
        for (const [i, answer] of answers.entries()) {
          const { id } = taken[i]!.job
          if (answer === 'applied') applied.set(id, (applied.get(id) ?? 0) + 1)
        }
        if (waiting && applied.size >= waiting.count) waiting.resolve()
        return
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  return {
    applied,
    ended: (count) =>
      new Promise((resolve) => {
        waiting = { count, resolve }
        if (applied.size >= count) resolve()
      }),
    async [Symbol.asyncDispose]() {
      stop.abort()
      clearInterval(beating)
      clearInterval(sweeping)
      await running
      await Promise.resolve(consumer[Symbol.asyncDispose]()).catch(() => {})
    },
  }
}
