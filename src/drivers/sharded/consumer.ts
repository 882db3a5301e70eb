import { pause } from '../../async/signals.ts'
import type {
  Applied,
  ConsumeOptions,
  Consumer,
  Delivery,
  Millis,
  Outcome,
  Progress,
  Renewal,
} from '../../port/index.ts'
import { createLooks } from './looks.ts'
import type { Part, PartConsumer } from './part.ts'
import { byPart, createChorus } from './spread.ts'

/** How long a worker waits at its start for a part that does not answer. */
const PATIENCE: Millis = 2_000

/**
 * One worker's subscription to all parts. A part that does not answer takes nothing from the others: its renewal
 * and its places are not waited for, and a worker starts with those that it can reach.
 */
export async function createConsumer(
  parts: readonly Part[],
  of: (id: string) => number,
  options: ConsumeOptions,
): Promise<Consumer> {
  const lanes: (PartConsumer | undefined)[] = parts.map(() => undefined)
  const late: Millis = options.lease / 6
  const progress: Progress[][] = parts.map(() => [])
  /** What renewals said that came too late to be told. */
  let untold: Renewal[] = []
  let closed = false

  const looks = createLooks(parts.length, {
    look: async (part, max, suspects) =>
      (await lanes[part]?.look(max, suspects)) ?? { found: [], passedOver: false },
    leave: (part) => lanes[part]?.leave(),
    handBack: (part, deliveries) => void handBack(part, deliveries),
  })

  async function handBack(part: number, deliveries: readonly Delivery[]): Promise<void> {
    const outcomes = deliveries.map((delivery): Outcome => ({ delivery, ran: 0, end: { kind: 'back' } }))
    while (!closed) {
      try {
        return void (await lanes[part]!.finish(outcomes))
      } catch {
        await pause(late)
      }
    }
  }

  const opening = new Map<number, Promise<void>>()

  function open(part: number): Promise<void> {
    const once = opening.get(part) ?? subscribe(part).finally(() => opening.delete(part))
    opening.set(part, once)
    return once
  }

  async function subscribe(part: number): Promise<void> {
    const lane = await parts[part]!.consume(options, () => looks.ring(part))
    if (closed) return void (await lane[Symbol.asyncDispose]())
    lanes[part] = lane
    looks.ring(part)
  }
  const opens = createChorus(parts.length, open)
  const renewals = createChorus(
    parts.length,
    async (part): Promise<Renewal> => {
      const lane = lanes[part]
      if (!lane) return await open(part).then(() => ({ cancel: [], lost: [] }))
      const renewal = await lane.renew(progress[part]!.splice(0))
      looks.drop(renewal.lost)
      return renewal
    },
    (renewal) => untold.push(renewal),
  )
  const quits = createChorus(parts.length, async (part) => lanes[part]?.[Symbol.asyncDispose]())
  await opens.ask(Math.max(late, PATIENCE))
  return {
    take: looks.take,

    async renew(reports) {
      for (const report of reports) progress[of(report.delivery.job.id)]!.push(report)
      const { answers, fault } = await renewals.ask(late)
      const all = [...untold, ...answers]
      const renewal = { cancel: all.flatMap(({ cancel }) => cancel), lost: all.flatMap(({ lost }) => lost) }
      untold = []
      looks.forget(renewal.lost)
      if (fault === undefined) return renewal
      // It is told next time: who calls is to hear of the fault.
      untold = [renewal]
      throw fault
    },

    async finish(outcomes) {
      const applied = await byPart(
        outcomes,
        ({ delivery }) => of(delivery.job.id),
        async (part, some) => {
          const lane = lanes[part]
          if (!lane) return some.map((): Applied => 'stale')
          return lane.finish(some)
        },
      )
      looks.forget(outcomes.map(({ delivery }) => delivery))
      return applied
    },

    async [Symbol.asyncDispose]() {
      if (closed) return
      closed = true
      looks.stop()
      await quits.ask(options.lease)
    },
  }
}
