import { backoff } from '../async/backoff.ts'
import { pause } from '../async/signals.ts'
import type { Applied, Consumer, Outcome } from '../port/index.ts'

export interface FinisherOptions {
  /** Outcomes in one call at the most. */
  readonly max: number
  readonly onError: (error: unknown) => void
  /** The delivery's token had moved on: what it did is not recorded. */
  readonly onStale: (outcome: Outcome) => void
  /** In which part of the backend a job lies: outcomes for one don't wait for another. */
  readonly partOf?: (id: string) => number
  /** Outcomes that are written free places in the worker's buffer. */
  readonly onSpace: () => void
}

export interface Finisher {
  push(outcome: Outcome): void
  /** Outcomes not written yet. */
  readonly unfinished: number
  /** Write all; resolves when nothing is left, or at the abort, and what is left then is given up. */
  drain(signal: AbortSignal): Promise<void>
}

/** A line of batches to each part of the backend. */
export function createFinisher(consumer: Consumer, options: FinisherOptions): Finisher {
  const { partOf = () => 0 } = options
  const lines: Finisher[] = []

  return {
    push(outcome) {
      const part = partOf(outcome.delivery.job.id)
      lines[part] ??= createLine(consumer, options)
      lines[part].push(outcome)
    },
    get unfinished() {
      let sum = 0
      // A part that nothing was finished in yet is a hole.
      for (const line of lines) if (line) sum += line.unfinished
      return sum
    },
    async drain(signal) {
      await Promise.all(lines.map((line) => line.drain(signal)))
    },
  }
}

/**
 * Writes outcomes in batches, the next one collecting while the last is under way. A failing backend is
 * tried again until it answers: to repeat a finish is safe, and whether it still counts is decided by the
 * fence, not by us.
 */
function createLine(consumer: Consumer, options: FinisherOptions): Finisher {
  let pending: Outcome[] = []
  let flying = 0
  let idle: (() => void)[] = []
  let armed = false
  const givenUp = new AbortController()

  function arm() {
    if (armed || flying > 0) return
    armed = true
    process.nextTick(flush)
  }

  async function flush() {
    armed = false
    while (flying === 0 && pending.length > 0) {
      const batch = pending.length > options.max ? pending.splice(0, options.max) : pending
      if (batch === pending) pending = []
      flying = batch.length
      const applied = await write(batch)
      if (!applied) return
      for (const [i, answer] of applied.entries()) if (answer === 'stale') options.onStale(batch[i]!)
      flying = 0
      options.onSpace()
    }
    if (flying > 0) return
    for (const resolve of idle) resolve()
    idle = []
  }

  async function write(batch: readonly Outcome[]): Promise<Applied[] | undefined> {
    const retry = backoff(50, 5_000)
    while (!givenUp.signal.aborted) {
      try {
        return await consumer.finish(batch)
      } catch (error) {
        options.onError(error)
        await pause(retry.next(), givenUp.signal)
      }
    }
    return undefined
  }

  return {
    push(outcome) {
      pending.push(outcome)
      arm()
    },
    get unfinished() {
      return pending.length + flying
    },
    drain(signal) {
      if (pending.length + flying === 0 || signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        idle.push(resolve)
        const giveUp = () => {
          givenUp.abort()
          resolve()
        }
        signal.addEventListener('abort', giveUp, { once: true })
      })
    },
  }
}
