import type { Delivery, Millis } from '../../port/index.ts'
import type { Look } from './part.ts'

/** A look that is not answered by then holds no places any more; what it still brings may have to go back. */
const LATE: Millis = 1_000
/** How long after a look failed its part is asked again. */
const AGAIN: Millis = 500
/** How often a waiting take sees what is late and what is to be asked again. */
const TICK: Millis = 250
/** How long what was found is kept for a take that is to come. */
const UNCLAIMED: Millis = 100
/** After so long this process must have stood still, and what was found may be another worker's by now. */
const STALE: Millis = 500

export interface Doors {
  /** Up to `max` of what waits in a part now; with a suspect among it only if `suspects`. */
  look(part: number, max: number, suspects: boolean): Promise<Look>
  /** Nobody will look into this part for a while. */
  leave(part: number): void
  /** There is no place for these. */
  handBack(part: number, deliveries: readonly Delivery[]): void
}

/** Who of the parts is asked to fill one worker's places. */
export interface Looks {
  take(max: number, signal: AbortSignal): Promise<Delivery[]>
  /** Something may wait in this part; whether it will be looked for now. */
  ring(part: number): boolean
  /** These were lost: should any not be handed out yet, it never is. */
  drop(lost: readonly Delivery[]): void
  /** These are held no more. */
  forget(deliveries: readonly Delivery[]): void
  stop(): void
}

interface Lane {
  readonly part: number
  /** Something may wait there. */
  rung: boolean
  /** Places that are kept for what it is asked for now. */
  asked: number
  since: Millis
  /** Not to be asked before. */
  after: Millis
  /** Suspects wait there for when this worker may have one. */
  suspects: boolean
  fault: { readonly error: unknown } | undefined
}

interface Found {
  readonly part: number
  readonly delivery: Delivery
  readonly at: Millis
}

interface Taking {
  readonly max: number
  readonly resolve: (taken: Delivery[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * The places of a take are shared among the parts where something may wait, in turn, and kept until each has
 * answered: so all are asked at once, and none is given more than there is room for. Where nothing was found
 * nobody is asked again until it rings. Of all parts one at a time may bring a suspect, and none while one is held.
 */
export function createLooks(count: number, doors: Doors): Looks {
  const lanes = Array.from(
    { length: count },
    (_, part): Lane => ({
      part,
      rung: true,
      asked: 0,
      since: 0,
      after: 0,
      suspects: false,
      fault: undefined,
    }),
  )
  /** Which part each is of. */
  const suspects = new Map<string, number>()
  /** Found, and not handed out yet. */
  let ready: Found[] = []
  let dealing = false
  let unclaimed: NodeJS.Timeout | undefined
  let probing: Lane | undefined
  let taking: Taking | undefined
  let turn = 0
  let armed = false
  let stopped = false
  const ticking = setInterval(() => taking && look(), TICK).unref()

  function look(): void {
    armed = false
    if (!taking || stopped) return
    const now = performance.now()
    let room = taking.max - ready.length
    for (const { asked, since } of lanes) if (asked > 0 && now - since < LATE) room -= asked
    const willing: Lane[] = []
    for (let i = 0; i < count; i++) {
      const lane = lanes[(turn + i) % count]!
      if (lane.rung && lane.asked === 0 && lane.after <= now) willing.push(lane)
    }
    let left = willing.length
    // Who has some comes first.
    willing.sort((a, b) => Number(b.suspects) - Number(a.suspects))
    for (const lane of willing) {
      if (room <= 0) break
      const share = Math.ceil(room / left--)
      room -= share
      turn = (lane.part + 1) % count
      void ask(lane, share, now)
    }
  }

  async function ask(lane: Lane, share: number, now: Millis): Promise<void> {
    lane.rung = false
    lane.asked = share
    lane.since = now
    if (!probing && suspects.size === 0) probing = lane
    // A part sees to it that it gives one at a time itself, and knows first when that one is lost.
    const isOwn = suspects.size > 0 && [...suspects.values()].every((part) => part === lane.part)
    try {
      const { found, passedOver } = await doors.look(lane.part, share, probing === lane || isOwn)
      lane.fault = undefined
      lane.suspects = passedOver
      // Where there was one there may be more.
      if (found.length > 0) lane.rung = true
      lane.asked = 0
      give(lane, found)
    } catch (error) {
      lane.asked = 0
      lane.rung = true
      lane.after = performance.now() + AGAIN
      lane.fault = { error }
      fail(error)
    }
    if (probing === lane) probing = undefined
    allowSuspect()
    arm()
  }

  function give(lane: Lane, found: readonly Delivery[]): void {
    const at = performance.now()
    for (const delivery of found) {
      ready.push({ part: lane.part, delivery, at })
      if (delivery.crashes === 0) continue
      for (const [key, part] of suspects) if (part === lane.part) suspects.delete(key)
      suspects.set(keyOf(delivery), lane.part)
    }
    if (ready.length === 0 || dealing) return
    dealing = true
    // What is answered together goes together.
    setImmediate(deal)
  }

  function deal(): void {
    dealing = false
    if (ready.length === 0) return
    if (!taking) {
      // Whoever takes what was asked for before is about to come for more.
      unclaimed ??= setTimeout(handBack, UNCLAIMED)
      return
    }
    if (performance.now() - ready[0]!.at > STALE) {
      handBack()
      return arm()
    }
    clearTimeout(unclaimed)
    unclaimed = undefined
    const { max, resolve } = taking
    taking = undefined
    resolve(ready.splice(0, max).map(({ delivery }) => delivery))
    if (ready.length > 0) deal()
  }

  /** Nobody has come for these. */
  function handBack(): void {
    clearTimeout(unclaimed)
    unclaimed = undefined
    const surplus = ready.splice(0)
    for (const { part } of lanes) {
      const own = surplus.filter((each) => each.part === part).map(({ delivery }) => delivery)
      if (own.length > 0) doors.handBack(part, own)
    }
    forget(surplus.map(({ delivery }) => delivery))
  }

  /** While any part answers, those that do not are no fault of the take. */
  function fail(error: unknown): void {
    if (!taking || lanes.some(({ fault }) => fault === undefined)) return
    const { reject } = taking
    taking = undefined
    reject(error)
  }

  /** With the next turn of the loop: what is answered together is asked for together. */
  function arm(): void {
    if (armed || !taking || stopped) return
    armed = true
    setImmediate(look)
  }

  function forget(deliveries: readonly Delivery[]): void {
    if (suspects.size === 0) return
    for (const delivery of deliveries) suspects.delete(keyOf(delivery))
    allowSuspect()
    arm()
  }

  /** Rid of the last one, the worker may have another. */
  function allowSuspect(): void {
    if (probing || suspects.size > 0) return
    const lane = lanes.find((each) => each.suspects && each.asked === 0)
    if (lane) lane.rung = true
  }

  return {
    take(max, signal) {
      if (signal.aborted || stopped) return Promise.resolve([])
      return new Promise((resolve, reject) => {
        const abort = () => {
          if (taking !== mine) return
          taking = undefined
          handBack()
          for (const { part } of lanes) doors.leave(part)
          mine.resolve([])
        }
        const ended = () => signal.removeEventListener('abort', abort)
        const mine: Taking = {
          max,
          resolve(taken) {
            ended()
            resolve(taken)
          },
          reject(error) {
            ended()
            reject(error)
          },
        }
        signal.addEventListener('abort', abort, { once: true })
        taking = mine
        if (ready.length > 0) deal()
        else look()
      })
    },
    ring(part) {
      lanes[part]!.rung = true
      arm()
      return taking !== undefined
    },
    drop(lost) {
      if (ready.length === 0 || lost.length === 0) return
      const keys = new Set(lost.map(keyOf))
      ready = ready.filter(({ delivery }) => !keys.has(keyOf(delivery)))
    },
    forget,
    stop() {
      stopped = true
      clearInterval(ticking)
      handBack()
      taking?.resolve([])
      taking = undefined
    },
  }
}

const keyOf = ({ job, token }: Delivery): string => `${token} ${job.id}`
