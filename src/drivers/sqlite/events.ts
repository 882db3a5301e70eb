import type { EventFilter, JobEvent } from '../../port/index.ts'
import type { Bells, Listener } from './bells.ts'

/** Hints of changes, from the call until the signal; at most one is kept for each id. */
export async function* events(
  bells: Bells,
  filter: EventFilter,
  signal: AbortSignal,
): AsyncGenerator<JobEvent> {
  const ids = new Set(filter.ids)
  let pending = new Map<string | undefined, JobEvent>()
  let wake = () => {}
  const listener: Listener = {
    jobs: ids.size > 0 || filter.notify !== undefined,
    marks: filter.worker !== undefined,
    matches: (id, notify) => ids.has(id) || (notify !== null && notify === filter.notify),
    hint(event) {
      pending.set(event.id, event)
      wake()
    },
  }
  const abort = () => wake()
  const unsubscribe = bells.subscribe(listener)
  signal.addEventListener('abort', abort)
  try {
    yield {}
    while (!signal.aborted) {
      const hints = pending
      pending = new Map()
      // To look at all again includes each.
      const all = hints.get(undefined)
      for (const hint of all ? [all] : hints.values()) {
        if (signal.aborted) return
        yield hint
      }
      await new Promise<void>((resolve) => {
        wake = resolve
        if (pending.size > 0 || signal.aborted) resolve()
      })
    }
  } finally {
    unsubscribe()
    signal.removeEventListener('abort', abort)
  }
}
