import { BackendError } from '../../errors.ts'
import {
  type ConsumeOptions,
  type Delivery,
  fairShare,
  type Renewal,
  type StoreConsumer,
} from '../../port/index.ts'
import { type Claims, claim, type Tag } from './claim.ts'
import { finish } from './finish.ts'
import type { Ground } from './ground.ts'
import { covered } from './ledger.ts'
import { promote } from './line.ts'
import { exists, type Moment } from './moment.ts'
import { endMarked, lose, untilNextDue } from './moves.ts'
import type { Row } from './row.ts'
import { pack } from './text.ts'

/** Due jobs that one take promotes, at the most; the sweep and later takes see to more. */
const DUE = 500
/** A waiting take looks again after so long, whatever it has heard. */
const LONGEST_WAIT = 60_000

export async function createConsumer(
  { writer, bells, look }: Ground,
  options: ConsumeOptions,
): Promise<StoreConsumer> {
  const { worker, lease } = options
  const queues = JSON.stringify(options.queues.map((queue) => queue.name))
  const share = fairShare(options.queues)
  /** What was handed out and not finished, as far as this worker knows. */
  const out = new Map<Tag, Delivery>()
  let closed = false

  function renewLease(at: Moment): void {
    const expires = at.now + lease
    if (Number(at.sql.extendLease.run(expires, worker).changes) === 0)
      at.sql.addWorker.run(worker, queues, lease, expires)
  }

  function claimUpTo(at: Moment, max: number): Claimed {
    const due = promote(at, DUE)
    renewLease(at)
    const claims: Claims = { worker, hold: Math.floor(Math.random() * 2 ** 52), suspect: undefined, ended: 0 }
    const taken: Delivery[] = []
    share(max, (queue, limit) => claim(at, claims, queue, limit, taken))
    for (const { job } of taken) at.changes.push({ id: job.id, notify: null })
    if (taken.length > 0) return { taken, again: 0 }
    // What is left waiting is not for this worker now, such as a second suspect.
    return { taken, again: claims.ended > 0 || due === DUE ? 0 : untilDue(at) }
  }

  const untilDue = (at: Moment): number => Math.min(untilNextDue(at) ?? LONGEST_WAIT, LONGEST_WAIT)

  /**
   * In how long there may be something to claim. To look first costs a read; to claim in vain would cost
   * all writers the lock, and a busy file rings often.
   */
  function untilSome(): Promise<number> {
    return writer.read(() => {
      const at = look()
      if (options.queues.some(({ name }) => exists(at.sql.anyWaiting, name))) return 0
      return untilDue(at)
    })
  }

  await writer.write(renewLease, true)
  const ear = bells.attend()

  return {
    async take(max, signal) {
      while (!signal.aborted && !closed) {
        ear.reset()
        let wait = await untilSome()
        if (wait === 0) {
          const over = () => signal.aborted || closed
          const { taken, again } = await writer.write((at) => (over() ? NONE : claimUpTo(at, max)), true)
          for (const delivery of taken) out.set(delivery.tag as Tag, delivery)
          if (taken.length > 0) return taken
          wait = again
        }
        if (wait > 0) await ear.wait(wait, signal)
      }
      return []
    },

    async claim(max) {
      while (!closed && (await untilSome()) === 0) {
        const { taken, again } = await writer.write((at) => claimUpTo(at, max), true)
        for (const delivery of taken) out.set(delivery.tag as Tag, delivery)
        if (taken.length > 0 || again > 0) return taken
      }
      return []
    },

    renew(progress) {
      return writer.write((at): Renewal => {
        renewLease(at)
        for (const { delivery, progress: body } of progress) {
          const { job, token } = delivery
          const { seq, hold } = delivery.tag as Tag
          const { changes } = at.sql.setProgress.run(pack(body), seq, token, hold)
          if (Number(changes) === 0) continue
          at.changes.push({ id: job.id, notify: null })
          at.told = true
        }
        return exceptions(at)
      }, true)
    },

    async finish(outcomes) {
      const applied = await writer.write((at) => {
        const applied = outcomes.map((outcome) => {
          out.delete(outcome.delivery.tag as Tag)
          return finish(at, worker, outcome)
        })
        if (at.marks) endMarked(at)
        return applied
      })
      // Rid of its suspect, this worker may have the next.
      if (outcomes.some(({ delivery }) => delivery.crashes > 0)) ear.ring()
      return applied
    },

    async [Symbol.asyncDispose]() {
      closed = true
      ear.close()
      await writer
        .write((at) => {
          for (const row of at.sql.heldRows.all(worker, -1) as Row[]) lose(at, row)
          at.sql.removeWorker.run(worker)
        })
        .catch((error) => {
          // With a closed backend the lease has to lapse by itself.
          if (error instanceof BackendError && error.code === 'BACKEND_CLOSED') return
          throw error
        })
    },
  }

  function exceptions(at: Moment): Renewal {
    const held = new Map<string, HeldCells>()
    for (const cells of at.sql.held.all(worker) as HeldCells[]) held.set(cells[0], cells)
    const cancel: Delivery[] = []
    const lost: Delivery[] = []
    for (const [tag, delivery] of out) {
      const cells = held.get(delivery.job.id)
      if (cells?.[1] !== tag.hold) lost.push(delivery)
      else if (covered(at, { marked: cells[2], flow: cells[3], slot_join: cells[4] })) cancel.push(delivery)
    }
    for (const { tag } of lost) out.delete(tag as Tag)
    return { cancel, lost }
  }
}

interface Claimed {
  readonly taken: Delivery[]
  /** In how long to look again, if nothing rings before. */
  readonly again: number
}

const NONE: Claimed = { taken: [], again: 0 }

type HeldCells = [id: string, hold: number, marked: number, flow: string | null, slot_join: string | null]
