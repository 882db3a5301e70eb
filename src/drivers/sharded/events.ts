import { pause } from '../../async/signals.ts'
import type { EventFilter, JobEvent, Millis } from '../../port/index.ts'
import type { Part } from './part.ts'

/** How long after a subscription to one part broke it is tried again. */
const AGAIN: Millis = 1_000

/**
 * The hints of all parts that can have any. A part that can't be reached holds up none of the others: it is tried
 * again, and once its subscription stands, all is to be looked at anew.
 */
export async function* mergedEvents(
  parts: readonly Part[],
  of: (id: string) => number,
  filter: EventFilter,
  signal: AbortSignal,
): AsyncGenerator<JobEvent> {
  const { ids = [], notify, worker } = filter
  const isWide = notify !== undefined || worker !== undefined
  const wanted = [...parts.entries()]
    .map(([i, part]) => ({ part, filter: { ...filter, ids: ids.filter((id) => of(id) === i) } }))
    .filter(({ filter }) => isWide || filter.ids.length > 0)
  const stop = new AbortController()
  const end = () => stop.abort()
  signal.addEventListener('abort', end)
  if (signal.aborted) end()
  let pending = new Map<string | undefined, JobEvent>()
  let wake = () => {}
  let fault: { readonly error: unknown } | undefined
  let standing = 0
  let failed = 0
  const tell = (event: JobEvent) => {
    pending.set(event.id, event)
    wake()
  }

  async function follow({ part, filter }: (typeof wanted)[number]): Promise<void> {
    let isKnown = false
    while (!stop.signal.aborted) {
      try {
        for await (const event of part.events(filter, stop.signal)) {
          if (!isKnown) standing++
          isKnown = true
          tell(event)
        }
      } catch (error) {
        fault ??= { error }
        if (!isKnown) failed++
        isKnown = true
        wake()
      }
      if (!stop.signal.aborted) await pause(AGAIN, stop.signal)
    }
  }

  const following = Promise.all(wanted.map(follow))
  stop.signal.addEventListener('abort', () => wake())
  try {
    let isFirst = true
    while (!stop.signal.aborted) {
      if (isFirst && standing + failed >= wanted.length) {
        if (standing === 0 && fault) throw fault.error
        isFirst = false
        pending = new Map()
        yield {}
        continue
      }
      const hints = isFirst ? [] : [...pending.values()]
      if (!isFirst) pending = new Map()
      // To look at all again includes each.
      const all = hints.find(({ id }) => id === undefined)
      for (const hint of all ? [all] : hints) {
        if (stop.signal.aborted) return
        yield hint
      }
      if (hints.length > 0) continue
      await new Promise<void>((resolve) => {
        wake = resolve
        if (stop.signal.aborted || (!isFirst && pending.size > 0)) resolve()
      })
    }
  } finally {
    signal.removeEventListener('abort', end)
    stop.abort()
    await following
  }
}
