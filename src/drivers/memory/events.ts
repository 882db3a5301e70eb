import type { EventFilter, JobEvent } from '../../port/index.ts'
import type { Listener, Space } from './space.ts'

/** Hints of a space's changes, from the call until the signal; at most one is kept for each id. */
export async function* events(
  space: Space,
  filter: EventFilter,
  signal: AbortSignal,
): AsyncGenerator<JobEvent> {
  const ids = new Set(filter.ids)
  const pending = new Map<string | undefined, JobEvent>()
  let wake = () => {}
  const listener: Listener = {
    worker: filter.worker,
    matches: (id, notify) => ids.has(id) || (notify !== undefined && notify === filter.notify),
    hint(event) {
      pending.set(event.id, event)
      wake()
    },
  }
  const abort = () => wake()
  space.listeners.add(listener)
  signal.addEventListener('abort', abort)
  try {
    yield {}
    while (!signal.aborted) {
      for (const [id, event] of pending) {
        pending.delete(id)
        yield event
        if (signal.aborted) return
      }
      await new Promise<void>((resolve) => {
        wake = resolve
        if (pending.size > 0 || signal.aborted) resolve()
      })
    }
  } finally {
    space.listeners.delete(listener)
    signal.removeEventListener('abort', abort)
  }
}
