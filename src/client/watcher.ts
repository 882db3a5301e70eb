import { backoff } from '../async/backoff.ts'
import { batcher } from '../async/batcher.ts'
import { pause } from '../async/signals.ts'
import type { Backend, EventFilter, FlowRecord, JobRecord } from '../port/index.ts'

export type AnyRecord = JobRecord | FlowRecord

export interface Watch {
  readonly id: string
  /** Submitted by this process, whose one subscription then serves. */
  readonly own: boolean
  /** While a promise of it is open, the record isn't looked at again. */
  readonly see: (record: AnyRecord | undefined) => unknown
  readonly fail: (error: unknown) => void
}

export interface Watcher {
  get(id: string): Promise<AnyRecord | undefined>
  /**
   * Tell `see` the record: as soon as a subscription stands, then whenever it may have changed. Hints can
   * be lost, so it is also looked at every second.
   *
   * @returns a function that ends the watch
   */
  watch(watch: Watch): () => void
  close(): void
}

const SAFETY_POLL = 1_000

/** Shared by all waits of an app: reads of one tick travel together, and own jobs share a subscription. */
export function createWatcher(backend: Backend, notify: string): Watcher {
  const looks = new Map<string, Set<() => void>>()
  const followed = new Set<AbortController>()
  const get = batcher<string, AnyRecord | undefined>((ids) => backend.records.get(ids), {
    max: 500,
    concurrent: 2,
  })
  let ownStands: Promise<void> | undefined
  let poll: NodeJS.Timeout | undefined

  function hint(id: string | undefined): void {
    if (id !== undefined) for (const look of looks.get(id) ?? []) look()
    else for (const same of looks.values()) for (const look of same) look()
  }

  /** Follow a stream of hints; the promise resolves once the first has come. */
  function follow(filter: EventFilter, ending: AbortController): Promise<void> {
    const { signal } = ending
    const retry = backoff(100, 5_000)
    followed.add(ending)
    return new Promise((stands) => {
      async function listen() {
        while (!signal.aborted) {
          try {
            for await (const event of backend.events(filter, signal)) {
              stands()
              retry.reset()
              hint(event.id)
            }
          } catch {
            // The safety poll goes on, and tells what is wrong with the backend.
            stands()
          }
          if (!signal.aborted) await pause(retry.next(), signal)
        }
        followed.delete(ending)
      }
      void listen()
    })
  }

  function looker({ id, see, fail }: Watch, ended: () => boolean): () => void {
    let busy = false
    let again = false
    return async function look() {
      again = true
      if (busy) return
      busy = true
      while (again && !ended()) {
        again = false
        try {
          const record = await get(id)
          if (!ended()) await see(record)
        } catch (error) {
          if (!ended()) fail(error)
        }
      }
      busy = false
    }
  }

  return {
    get,
    watch(watch) {
      let over = false
      const look = looker(watch, () => over)
      const same = looks.get(watch.id) ?? new Set()
      looks.set(watch.id, same.add(look))
      poll ??= setInterval(hint, SAFETY_POLL, undefined).unref()
      const foreign = watch.own ? undefined : new AbortController()
      if (watch.own) ownStands ??= follow({ notify }, new AbortController())
      const stands = foreign ? follow({ ids: [watch.id] }, foreign) : ownStands!
      void stands.then(look)
      return () => {
        over = true
        foreign?.abort()
        same.delete(look)
        if (same.size === 0) looks.delete(watch.id)
        if (looks.size > 0) return
        clearInterval(poll)
        poll = undefined
      }
    },
    close() {
      for (const ending of followed) ending.abort()
      clearInterval(poll)
    },
  }
}
