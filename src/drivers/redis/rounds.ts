import {
  type Applied,
  type ConsumeOptions,
  type Delivery,
  dealer,
  type Millis,
  type Outcome,
} from '../../port/index.ts'
import type { Argument } from './link.ts'
import { scripts } from './lua/index.ts'
import { keyOf, pushOutcome, type Tag } from './outcome.ts'
import { readRecord } from './record.ts'
import type { Shard } from './shard.ts'

/** A waiting take looks again after so long, whatever it has heard. */
const SAFETY_POLL: Millis = 1_000
/** Jobs that one call takes, and outcomes that it carries, at the most. */
export const MOST = 1_000

interface Taking {
  readonly max: number
  /** It takes what is there, and doesn't wait. */
  readonly once: boolean
  /** It asks and waits elsewhere, counting as idle here; with a suspect or without one. */
  readonly look?: 'any' | 'unsuspected'
  readonly resolve: (taken: Delivery[]) => void
  readonly reject: (error: unknown) => void
}

interface Finishing {
  readonly outcomes: readonly Outcome[]
  readonly resolve: (applied: Applied[]) => void
  readonly reject: (error: unknown) => void
}

type Reply = [now: number, answers: string, taken: string[], wait: Millis, rest: number, all: string[]]

export interface Looked {
  readonly found: readonly Delivery[]
  /** Suspects wait, and were not asked for. */
  readonly passedOver: boolean
}

/** One worker's calls of the `work` script. */
export interface Rounds {
  take(max: number, signal: AbortSignal): Promise<Delivery[]>
  /** What there is now, up to so many. */
  claim(max: number): Promise<Delivery[]>
  /** The same for who has several such lines; after nothing, this worker counts as idle here. */
  look(max: number, suspects: boolean): Promise<Looked>
  /** It will not look for a while. */
  leave(): void
  finish(outcomes: readonly Outcome[]): Promise<Applied[]>
  /** Something may wait for this worker; or the message holds it, leased in advance. */
  ring(message?: string): void
  /** Resolves once no call is under way, and nothing that was taken goes back any more. */
  quiet(): Promise<void>
  stop(): void
  /** What was handed out and not finished, as far as this worker knows. */
  readonly out: ReadonlyMap<string, Delivery>
  /** A delivery was lost. */
  drop(key: string): void
}

/** Takes and outcomes travel in one call, one call at a time: what comes while it is under way goes with the next. */
export function createRounds(
  shard: Shard,
  { worker, lease, queues }: ConsumeOptions,
  /** Who looks, is told when to; the answer is whether it will. */
  onRing?: () => boolean,
): Rounds {
  const names = queues.map(({ name }) => name)
  const deal = dealer(queues)
  const out = new Map<string, Delivery>()
  /** Those, and what is being finished or handed back. */
  const known = new Set<string>()
  const finishing: Finishing[] = []
  let taking: Taking | undefined
  let timer: NodeJS.Timeout | undefined
  let nonce = 0
  let armed = false
  let flying = false
  let stopped = false
  /** Something may wait: a take asks for it. */
  let rung = true
  /** The server counts on this worker to come when it is woken; to a free one, it may send a job. */
  let idle = false
  let free = false
  /** The server's clock less ours, as far as known. */
  let ahead = 0
  /** Came by message while a call was under way. */
  let sent: Delivery[] = []
  let quieted: (() => void)[] = []
  /** It can't: another is to be woken instead. */
  let leaving = false
  /** The answer to a take was lost: what it took is held here, unknown. */
  let adopt = false
  let passedOver = false

  function arm() {
    if (armed || flying) return
    armed = true
    // A take alone lets the loop turn once, while handlers run: what they end meanwhile goes along.
    if (finishing.length > 0 || out.size === 0) process.nextTick(depart)
    else setImmediate(depart)
  }

  function depart() {
    armed = false
    // With outcomes on their way, a take that waits goes along: what follows from them may be for it.
    if (!flying && !stopped && ((taking && rung) || finishing.length > 0 || leaving)) void fly(taking)
    if (!flying) beQuiet()
  }

  function beQuiet() {
    for (const resolve of quieted) resolve()
    quieted = []
  }

  async function fly(take: Taking | undefined): Promise<void> {
    flying = true
    // Who looks may wait elsewhere meanwhile, and stays idle here.
    const stays = onRing !== undefined && idle && !take && !leaving
    if (!stays) clearTimeout(timer)
    const batch = nextBatch(finishing)
    const want = take ? Math.min(take.max, MOST) : 0
    // One that held nothing may have been sent a job by a message that got lost.
    const adopting = (adopt && want > 0) || (idle && free)
    // To who looks nothing is sent: its places are asked for elsewhere, too.
    free = out.size === 0 && !onRing
    const args = argumentsOf(
      want,
      `${idle && !stays ? 'i' : ''}${leaving ? 'l' : ''}${free ? 'f' : ''}${take?.once ? 'c' : ''}${take?.look === 'unsuspected' ? 's' : ''}${adopting ? 'a' : ''}`,
    )
    for (const { outcomes } of batch) for (const outcome of outcomes) pushOutcome(args, outcome)
    idle = stays
    leaving = false
    if (take) rung = false
    const began = performance.now()
    try {
      const reply = (await shard.run(scripts.work, args)) as Reply
      if (adopting) adopt = false
      answer(batch, reply[1])
      ahead = reply[0] - performance.now()
      if (performance.now() - began < lease / 2) hand(reply, take)
      else {
        // This process stood still, or the answer was long under way: what it took may be another's by now.
        adopt ||= want > 0
        rung = true
      }
    } catch (error) {
      if (want > 0) adopt = true
      rung = true
      for (const { reject } of batch) reject(error)
      if (take && taking === take) {
        taking = undefined
        take.reject(error)
      }
    }
    flying = false
    if (sent.length > 0) give([])
    if ((taking && rung) || finishing.length > 0 || leaving) arm()
    else beQuiet()
  }

  function argumentsOf(want: number, flags: string): Argument[] {
    const args: Argument[] = [worker, lease, (++nonce).toString(36), flags, want, names.length]
    const shares = names.length > 1 ? deal(want) : [want]
    for (let i = 0; i < names.length; i++) args.push(names[i]!, shares[i]!)
    return args
  }

  function answer(batch: readonly Finishing[], answers: string): void {
    let at = 0
    for (const { outcomes, resolve } of batch) {
      const applied: Applied[] = []
      for (const { delivery } of outcomes) {
        known.delete(keyOf(delivery))
        applied.push(answers[at++] === 'a' ? 'applied' : 'stale')
      }
      resolve(applied)
    }
  }

  function hand([now, , taken, wait, rest, all]: Reply, take: Taking | undefined): void {
    passedOver = (rest & 2) > 0
    const deliveries: Delivery[] = []
    const call = nonce.toString(36)
    for (let i = 0; i < taken.length; i += 2) deliveries.push(deliver(taken[i]!, taken[i + 1]!, now, call))
    for (let i = 0; i < all.length; i += 3) {
      const [id, hold, record] = all.slice(i, i + 3) as [string, string, string]
      if (!known.has(`${hold} ${id}`) && record !== '') deliveries.push(deliver(id, record, now, call, hold))
    }
    if (deliveries.length > 0 || sent.length > 0) {
      rung = true
      return give(deliveries)
    }
    if (!take) return
    if (rest & 1) rung = true
    else if (!take.once) idle = true
    else {
      taking = undefined
      return take.resolve([])
    }
    const again = Math.max(1, Math.min(wait < 0 ? SAFETY_POLL : wait, SAFETY_POLL))
    if (take.look) {
      if (taking === take) taking = undefined
      take.resolve([])
      if (rung) onRing?.()
      else timer = setTimeout(() => void onRing?.(), again)
    } else if (!taking) leaving = idle
    else if (!rung) timer = setTimeout(() => ring(), again)
  }

  /** To the take that waits, as many as it asked for. */
  function give(deliveries: Delivery[]): void {
    const all = [...sent, ...deliveries]
    sent = []
    if (!taking) return handBack(all)
    const { max, resolve } = taking
    taking = undefined
    clearTimeout(timer)
    if (all.length > max) handBack(all.splice(max))
    resolve(all)
  }

  /** Leased in advance, as it was put in line: see `firstFor` in lua/prelude.ts. */
  function receive(message: string): void {
    const [now, more, id, hold, ...record] = message.split('\n') as [string, string, string, string]
    idle = false
    rung ||= more === '1'
    if (known.has(`${hold} ${id}`)) return
    if (Math.abs(Number(now) - ahead - performance.now()) > lease / 2) {
      // This process stood still: as with an answer that comes late.
      adopt = true
      rung = true
      return arm()
    }
    sent.push(deliver(id, record.join('\n'), Number(now), '', hold))
    if (!flying) give([])
  }

  function deliver(id: string, record: string, now: number, call: string, held?: string): Delivery {
    const { job, token, failures, crashes, due } = readRecord(id, record)
    const tag: Tag = { hold: held ?? `${token}.${call}${crashes > 0 ? 's' : ''}` }
    const delivery = { job, token, attempt: 1 + failures, crashes, age: now - due, tag }
    const key = keyOf(delivery)
    out.set(key, delivery)
    known.add(key)
    return delivery
  }

  /** Taken for a take that was aborted meanwhile, or that asked for less. */
  function handBack(deliveries: readonly Delivery[]): void {
    const outcomes = deliveries.map((delivery): Outcome => ({ delivery, ran: 0, end: { kind: 'back' } }))
    finish(outcomes).catch(() => {
      for (const delivery of deliveries) known.delete(keyOf(delivery))
      adopt = true
    })
  }

  function finish(outcomes: readonly Outcome[]): Promise<Applied[]> {
    if (outcomes.length === 0) return Promise.resolve([])
    for (const { delivery } of outcomes) out.delete(keyOf(delivery))
    return new Promise((resolve, reject) => {
      finishing.push({ outcomes, resolve, reject })
      arm()
    })
  }

  function ring(message = '') {
    if (message !== '') return receive(message)
    rung = true
    // What it was woken for is another's, if this one has no place.
    if (!taking) leaving = idle && !onRing?.()
    arm()
  }

  function look(max: number, suspects: boolean): Promise<Looked> {
    if (stopped) return Promise.resolve({ found: [], passedOver: false })
    return new Promise((resolve, reject) => {
      taking = {
        max,
        once: false,
        look: suspects ? 'any' : 'unsuspected',
        resolve: (found) => resolve({ found, passedOver }),
        reject,
      }
      rung = true
      arm()
    })
  }

  function take(max: number, signal: AbortSignal): Promise<Delivery[]> {
    if (signal.aborted || stopped) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      const abort = () => {
        if (taking !== mine) return
        taking = undefined
        clearTimeout(timer)
        leaving = idle
        resolve([])
        arm()
      }
      const ended = () => signal.removeEventListener('abort', abort)
      const mine: Taking = {
        max,
        once: false,
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
      rung = true
      arm()
    })
  }

  function claim(max: number): Promise<Delivery[]> {
    if (stopped) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      taking = { max, once: true, resolve, reject }
      rung = true
      arm()
    })
  }

  return {
    take,
    claim,
    look,
    leave() {
      leaving = idle
      arm()
    },
    finish,
    ring,
    async quiet() {
      while (armed || flying) {
        await new Promise<void>((resolve) => {
          quieted.push(resolve)
        })
      }
    },
    stop() {
      stopped = true
      clearTimeout(timer)
      taking?.resolve([])
      taking = undefined
    },
    out,
    drop(key) {
      out.delete(key)
      known.delete(key)
    },
  }
}

/** Whole calls of `finish`, as many as one round takes. */
function nextBatch(finishing: Finishing[]): Finishing[] {
  let count = 0
  let calls = 0
  while (calls < finishing.length && (calls === 0 || count + finishing[calls]!.outcomes.length <= MOST)) {
    count += finishing[calls]!.outcomes.length
    calls++
  }
  return finishing.splice(0, calls)
}
