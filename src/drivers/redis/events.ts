import type { EventFilter, JobEvent, Millis } from '../../port/index.ts'
import { scripts } from './lua/index.ts'
import { readEnds } from './record.ts'
import type { Shard } from './shard.ts'

/** How long the server takes an id to be watched, unless it is told again. */
const WATCH: Millis = 60_000

/** Hints of changes, from the call until the signal; at most one is kept for each id. */
export async function* events(
  shard: Shard,
  { notify, ids = [], worker }: EventFilter,
  signal: AbortSignal,
): AsyncGenerator<JobEvent> {
  const { bells, prefix } = shard
  let pending = new Map<string | undefined, JobEvent>()
  let wake = () => {}
  const tell = (event: JobEvent) => {
    pending.set(event.id, event)
    wake()
  }
  const hint = (id?: string) => tell(id === undefined ? {} : { id })
  const stops: (() => void)[] = [bells.onReturn(hint)]
  const watch = () => shard.run(scripts.watch, [WATCH, ...ids])
  const abort = () => wake()
  signal.addEventListener('abort', abort)
  try {
    for (const id of ids) stops.push(await bells.listen(`${prefix}i:${id}`, () => hint(id)))
    if (worker !== undefined) stops.push(await bells.listen(`${prefix}k:${worker}`, hint))
    if (notify !== undefined) {
      const hear = (message: string) => {
        for (const event of readEnds(message)) tell(event)
      }
      stops.push(await bells.listen(`${prefix}n:${notify}`, hear))
    }
    if (ids.length > 0) {
      await watch()
      // Should one be missed, the next comes in time.
      const timer = setInterval(() => void watch().catch(() => {}), WATCH / 3).unref()
      stops.push(() => clearInterval(timer))
    }
    yield {}
    while (!signal.aborted) {
      const hints = pending
      pending = new Map()
      // To look at all again includes each.
      const all = hints.get(undefined)
      for (const each of all ? [all] : hints.values()) {
        if (signal.aborted) return
        yield each
      }
      await new Promise<void>((resolve) => {
        wake = resolve
        if (pending.size > 0 || signal.aborted) resolve()
      })
    }
  } finally {
    for (const stop of stops) stop()
    signal.removeEventListener('abort', abort)
  }
}
