import { backoff } from '../async/backoff.ts'
import { batcher } from '../async/batcher.ts'
import { pause } from '../async/signals.ts'
import type { Backend, EventFilter, FlowRecord, JobEvent, JobRecord } from '../port/index.ts'

export type AnyRecord = JobRecord | FlowRecord

export interface Watch {
  readonly id: string
  /** Submitted by this process, whose one subscription then serves. */
  readonly own: boolean
  /** What {@link Watcher.heard} was before it was submitted: an end since then has been heard of, if any. */
  readonly since?: number | undefined
  /** Takes an end that came with its hint; without it, the record is read. */
  readonly ended?: (record: JobRecord) => void
  /** While a promise of it is open, the record isn't looked at again. */
  readonly see: (record: AnyRecord | undefined) => unknown
  readonly fail: (error: unknown) => void
}

export interface Watcher {
  get(id: string): Promise<AnyRecord | undefined>
  /** How many hints of own jobs have come; `undefined` while some may have been missed. */
  readonly heard: number | undefined
  /**
   * Tell `see` the record: as soon as a subscription stands, then whenever it may have changed. Hints can
   * be lost, so it is also looked at every second.
   *
   * @returns a function that ends the watch
   */
  watch(watch: Watch): () => void
  close(): void
}

/** Told what has come with a hint. */
type Look = (event?: JobEvent) => void

const SAFETY_POLL = 1_000
/** Hints that are remembered, for watches of what was submitted before they came. */
const REMEMBERED = 1_000

/** Shared by all waits of an app: reads of one tick travel together, and own jobs share a subscription. */
export function createWatcher(backend: Backend, notify: string): Watcher {
  const looks = new Map<string, Set<Look>>()
  const followed = new Set<AbortController>()
  const get = batcher<string, AnyRecord | undefined>((ids) => backend.records.get(ids), {
    max: 500,
    concurrent: 2,
  })
  const recent = new Set<string>()
  let heard = 0
  let standing = false
  let ownStands: Promise<void> | undefined
  let poll: NodeJS.Timeout | undefined

  function hint(event: JobEvent): void {
    const { id } = event
    if (id !== undefined) for (const look of looks.get(id) ?? []) look(event)
    else lookAtAll()
  }

  function lookAtAll(): void {
    for (const same of looks.values()) for (const look of same) look()
  }

  function remember({ id }: JobEvent): void {
    standing = true
    // Without an id, any may have been missed.
    heard += id === undefined ? REMEMBERED + 1 : 1
    if (id === undefined) return
    recent.add(id)
    if (recent.size > REMEMBERED) for (const oldest of recent) return void recent.delete(oldest)
  }

  /** It was submitted when the subscription stood, and nothing was heard of it since. */
  const isOpen = ({ id, since }: Watch): boolean =>
    standing && since !== undefined && heard - since <= REMEMBERED && !recent.has(id)

  /** Follow a stream of hints; the promise resolves once the first has come. */
  function follow(
    filter: EventFilter,
    ending: AbortController,
    { hear, deaf }: { hear?: (event: JobEvent) => void; deaf?: () => void } = {},
  ): Promise<void> {
    const { signal } = ending
    const retry = backoff(100, 5_000)
    followed.add(ending)
    return new Promise((stands) => {
      async function listen() {
        while (!signal.aborted) {
          try {
            for await (const event of backend.events(filter, signal)) {
              hear?.(event)
              stands()
              retry.reset()
              hint(event)
            }
          } catch {
            // The safety poll goes on, and tells what is wrong with the backend.
            stands()
          }
          deaf?.()
          if (!signal.aborted) await pause(retry.next(), signal)
        }
        followed.delete(ending)
      }
      void listen()
    })
  }

  const followOwn = () =>
    follow({ notify }, new AbortController(), {
      hear: remember,
      deaf() {
        standing = false
      },
    })

  function looker({ id, see, fail, ended: end }: Watch, ended: () => boolean): Look {
    let busy = false
    let again = false
    return async function look(event) {
      const record = end && event?.ended
      if (record) return ended() ? undefined : end(record)
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
    get heard() {
      return standing ? heard : undefined
    },
    watch(watch) {
      let over = false
      const look = looker(watch, () => over)
      const same = looks.get(watch.id) ?? new Set()
      looks.set(watch.id, same.add(look))
      poll ??= setInterval(lookAtAll, SAFETY_POLL).unref()
      const foreign = watch.own ? undefined : new AbortController()
      if (watch.own) ownStands ??= followOwn()
      const stands = foreign ? follow({ ids: [watch.id] }, foreign) : ownStands!
      // To look at what has only just been submitted is in vain.
      if (!isOpen(watch)) void stands.then(() => look())
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
