import type { JobEvent, Millis } from '../../port/index.ts'
import { createBell } from './bell.ts'
import type { Moment } from './moment.ts'

/**
 * Wake-ups, within this process and between processes. Two files are rung after a COMMIT: `-bell` when
 * something became runnable, `-done` when something ended, moved on or was cancelled. All of it are hints:
 * a slow poll of the file's version catches what was missed.
 */
export interface Bells {
  /** An ear for work that became runnable. */
  attend(): Ear
  /** Hear of changes, until the returned function is called. */
  subscribe(listener: Listener): () => void
  /** Wake the workers for what a transaction has committed. */
  announceWork(moment: Moment): void
  /** Tell of what has changed, now that it is durable. */
  announceChanges(moment: Moment): void
  close(): void
}

/** Hears rings from `reset` on, also those between two waits. */
export interface Ear {
  reset(): void
  /** As if it were rung. */
  ring(): void
  /** Until a ring since `reset`, the abort, or for `ms`; keeps the process alive meanwhile. */
  wait(ms: Millis, signal: AbortSignal): Promise<void>
  close(): void
}

export interface Listener {
  matches(id: string, notify: string | null): boolean
  /** Whether it asks for jobs, by their ids or by who is notified. */
  readonly jobs: boolean
  /** Whether it asks for cancel marks. */
  readonly marks: boolean
  hint(event: JobEvent): void
}

export interface BellsOptions {
  readonly database: string
  /** Changes whenever another connection has committed, and only then. */
  readonly version: () => number
  /** Counts the cancel marks set so far. */
  readonly marks: () => number
}

/** How often to look for changes: with bells that are heard, and without. */
const POLL = 400
const POLL_DEAF = 25

export function createBells({ database, version, marks }: BellsOptions): Bells {
  const work = createBell(database, '-bell', () => checkWork(version()))
  const done = createBell(database, '-done', () => checkDone(version()))
  const ears = new Set<() => void>()
  const listeners = new Set<Listener>()
  let timer: NodeJS.Timeout | undefined
  let workSeen = Number.NaN
  let doneSeen = Number.NaN
  let marksSeen = 0

  function checkWork(seen: number) {
    if (seen === workSeen) return
    workSeen = seen
    for (const wake of ears) wake()
  }

  /** Which job it was that another process changed is not known: whoever waits for one looks again. */
  function checkDone(seen: number) {
    if (seen === doneSeen) return
    doneSeen = seen
    const marked = markSet()
    for (const listener of listeners) if (listener.jobs || (listener.marks && marked)) listener.hint({})
  }

  function markSet(): boolean {
    const before = marksSeen
    for (const listener of listeners) {
      if (!listener.marks) continue
      marksSeen = marks()
      break
    }
    return marksSeen !== before
  }

  function tune() {
    if (ears.size > 0) work.listen()
    else work.deafen()
    if (listeners.size > 0) done.listen()
    else done.deafen()
    clearInterval(timer)
    if (ears.size === 0 && listeners.size === 0) return
    const heard = (ears.size === 0 || work.heard) && (listeners.size === 0 || done.heard)
    timer = setInterval(look, heard ? POLL : POLL_DEAF).unref()
  }

  function look() {
    const seen = version()
    if (ears.size > 0) checkWork(seen)
    if (listeners.size > 0) checkDone(seen)
  }

  return {
    attend() {
      let rung = true
      let wake = () => {}
      const ring = () => {
        rung = true
        wake()
      }
      ears.add(ring)
      tune()
      return {
        reset() {
          rung = false
        },
        ring,
        wait: (ms, signal) =>
          new Promise((resolve) => {
            if (rung || signal.aborted) return resolve()
            const timer = setTimeout(stop, ms)
            signal.addEventListener('abort', stop, { once: true })
            wake = stop
            function stop() {
              wake = () => {}
              clearTimeout(timer)
              signal.removeEventListener('abort', stop)
              resolve()
            }
          }),
        close() {
          ears.delete(ring)
          tune()
          ring()
        },
      }
    },

    subscribe(listener) {
      if (listener.marks) marksSeen = marks()
      listeners.add(listener)
      doneSeen = version()
      tune()
      return () => {
        listeners.delete(listener)
        tune()
      }
    },

    announceWork({ runnable }) {
      if (!runnable) return
      for (const wake of ears) wake()
      work.ring()
    },

    announceChanges({ told, marks: marked, changes }) {
      if (told || marked) done.ring()
      if (listeners.size === 0) return
      if (marked) marksSeen = marks()
      for (const listener of listeners) {
        if (marked && listener.marks) listener.hint({})
        if (!listener.jobs) continue
        for (const { id, notify } of changes) if (listener.matches(id, notify)) listener.hint({ id })
      }
    },

    close() {
      clearInterval(timer)
      work.close()
      done.close()
      // Who still waits shall find out now.
      for (const wake of ears) wake()
    },
  }
}
